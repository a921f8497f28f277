"""The screens that a person moves between."""
