"""Deployments of templates: what is remembered of one, how it proceeds, what it answers.

A deployment is one more client of this cloud: it sends the PUTs that anybody would send, in parallel as far as
``dependsOn`` allows, and waits for their operations.

Evidence: REST reference "Deployments" (2025-04-01); ``test_network_vpn_connection_ipsec``,
``test_delete_dependent_resources`` (201 Accepted, operationStatuses, parameters without secrets, outputs).
"""
