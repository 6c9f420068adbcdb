"""Templates of Azure Resource Manager: the expression language, its functions, loops, and what a template holds.

Knows nothing of HTTP and of stored documents; who deploys a template hands in what only a cloud can tell.

Evidence: learn.microsoft.com "Template structure and syntax", "Template functions" and "Resource iteration".
"""
