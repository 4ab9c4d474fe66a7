"""The numbers of the pcapng file format (draft-ietf-opsawg-pcapng): block types, option codes."""

from __future__ import annotations

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
OLD_PACKET = 2
SIMPLE_PACKET = 3
NAME_RESOLUTION = 4
INTERFACE_STATISTICS = 5
ENHANCED_PACKET = 6
DECRYPTION_SECRETS = 10
TLS_KEY_LOG = 0x544C534B
"""Secrets type of a decryption secrets block: an NSS key log, as SSLKEYLOGFILE gets it."""
BYTE_ORDER_MAGIC = 0x1A2B3C4D

END, COMMENT = 0, 1
IF_NAME, IF_DESCRIPTION, IF_FILTER, IF_TSRESOL, IF_TSOFFSET = 2, 3, 11, 9, 14
ISB_STARTTIME, ISB_ENDTIME, ISB_IFRECV, ISB_IFDROP, ISB_FILTERACCEPT = 2, 3, 4, 5, 6
EPB_FLAGS = 2
