"""SNMP: agents that are polled for what their ports count.

if_mib   one poll of an agent: walks of the IF-MIB, cut where a buggy agent never ends
session  credentials, and sessions of gufo-snmp
source   the source: agents that are polled again and again
"""
