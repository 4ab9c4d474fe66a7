"""Two runs side by side, the first difference marked: the pure comparison, and its drawing.

What varies from run to run by nature is no difference: ISNs, ports, identifiers, the size of windows,
times within a tolerance, and, between two plays of one scenario, the segments that its script leaves
open. Counters are compared by whether they moved.
"""
