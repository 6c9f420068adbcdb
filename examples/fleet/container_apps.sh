#!/bin/sh
# A fleet in Azure Container Apps jobs: one execution for each deployment, with a managed identity, beside the state.
# The image is that of the Dockerfile here; an execution that ends with 6 or is killed is continued by the next start.
#
#   sh container_apps.sh create    # once
#   sh container_apps.sh start     # a run of every deployment
set -eu

: "${GROUP:?the resource group of the job}" "${IMAGE:?the image}" "${CLIENT_ID:?client id of the managed identity}"
: "${STATE:?azblob://ACCOUNT/CONTAINER/PREFIX}" "${SUBSCRIPTION:?default subscription}"
NAME=${NAME:-vpngw}

case ${1:-} in
create)
  : "${ENVIRONMENT:?the Container Apps environment}" "${IDENTITY:?id of the managed identity}"
  az containerapp job create --name "$NAME" --resource-group "$GROUP" --environment "$ENVIRONMENT" \
    --trigger-type Manual --replica-timeout 21600 --replica-retry-limit 0 --parallelism 1 --replica-completion-count 1 \
    --image "$IMAGE" --cpu 0.5 --memory 1Gi --mi-user-assigned "$IDENTITY" --registry-identity "$IDENTITY"
  ;;
start)
  jobs=$(vpngw plan hubs/ --matrix github)
  printf '%s\n' "$jobs" | python3 -c '
import json, sys
for job in json.load(sys.stdin)["include"]:
    print(job["files"])' | while IFS= read -r files; do
    az containerapp job start --name "$NAME" --resource-group "$GROUP" --image "$IMAGE" --cpu 0.5 --memory 1Gi \
      --env-vars "FILES=$files" "AZURE_CLIENT_ID=$CLIENT_ID" "VPNGW_STATE=$STATE" "VPNGW_SUBSCRIPTION=$SUBSCRIPTION" \
      </dev/null
  done
  ;;
*)
  echo "usage: $0 create|start" >&2
  exit 64
  ;;
esac
