"""Statistics of identification: ranks, intervals, tests, open sets and likelihood ratios.

Everything here takes and gives NumPy arrays and small frozen records, knows no file and no
network, and never imports torch.
"""
