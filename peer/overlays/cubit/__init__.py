"""Cubit (Wong, Slivkins, Sirer 2008): search that forgives misspelling. Nodes lie among the words, by edit distance.

`distance` has the metric, `wire` the messages, `table` the neighbours in rings, `navigation` the way to a word,
`keeping` what is stored, `node` the whole.
"""
