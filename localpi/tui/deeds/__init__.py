"""What the actions do: `actions.py` names the functions here."""
