"""Questions to Azure before anything is changed, and what the replies mean."""
