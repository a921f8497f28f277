"""The configuration of the tools that install and publish: found, planned, changed, undone."""
