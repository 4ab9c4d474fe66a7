"""Choosing exchanges with a small expression, as `lab explain --filter` and `lab export --filter` take it.

    tcp.port == 443 and retransmission
    host 10.0.0.0/8 and not (conn_state == SF or udp)
    rtt > 200ms or frame in 1000..2000

An expression is asked of each TCP connection and each UDP exchange as a whole. A field that has
several values (both ends' addresses and ports, every frame's number and time) satisfies a
comparison if one of them does; ``!=`` is satisfied if the field has a value and none is equal.

    expression = term {("or" | "||") term}
    term       = factor {("and" | "&&") factor}
    factor     = ("not" | "!") factor | "(" expression ")" | test
    test       = "tcp" | "udp" | FLAG | FIELD [OPERATOR] value | FIELD "in" values
    OPERATOR   = "==" | "!=" | "<" | "<=" | ">" | ">=" | "contains"      (none: "==")
    values     = value {"," value}, in braces or not;  value = WORD | LOW ".." HIGH

FLAG is one of Wireshark's analysis flags, as ``retransmission`` or ``tcp.analysis.retransmission``;
the fields are listed in `lab.filters.fields`. A field after ``tcp.`` or ``udp.`` has values for that
protocol only. Wireshark's eq, ne, lt, le, gt and ge are understood.

An expression that begins with ``bpf:`` is none of these: tcpdump compiles it, `lab.filters.bpf` runs it
over the frames, and it holds for the exchanges of which at least one frame passes.
"""
