"""The rules of one kind of resource each. A check yields the id of a broken rule and a JSON pointer to where."""
