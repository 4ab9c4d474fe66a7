"""What a capture holds as tables, for pandas, polars, DuckDB and spreadsheets.

``segments`` has a row a TCP segment or UDP datagram, ``connections`` a row a TCP connection or UDP
exchange, ``findings`` a row a finding. Rows are joined by file, host, protocol and stream.
"""
