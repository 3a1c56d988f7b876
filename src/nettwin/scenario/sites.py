"""Sites: real networks that nettwin carries, as places and the pairs of them that are joined."""

from __future__ import annotations

from typing import NamedTuple


class Site(NamedTuple):
    """A place with its coordinates and how many people it serves (millions)."""

    name: str
    latitude_deg: float
    longitude_deg: float
    people: float


# The T1 backbone of the National Science Foundation as the literature draws it (14 sites, 21
# links); people: the metropolitan area around each site, rounded, census of 2020.
NSFNET = (
    Site("Seattle", 47.61, -122.33, 4.0),
    Site("Palo Alto", 37.44, -122.14, 6.7),
    Site("San Diego", 32.72, -117.16, 3.3),
    Site("Salt Lake City", 40.76, -111.89, 1.3),
    Site("Boulder", 40.01, -105.27, 3.3),
    Site("Lincoln", 40.81, -96.70, 1.3),
    Site("Houston", 29.76, -95.37, 7.1),
    Site("Champaign", 40.12, -88.24, 9.6),
    Site("Ann Arbor", 42.28, -83.74, 4.7),
    Site("Pittsburgh", 40.44, -80.00, 2.4),
    Site("Atlanta", 33.75, -84.39, 6.1),
    Site("Ithaca", 42.44, -76.50, 2.2),
    Site("Princeton", 40.35, -74.66, 9.0),
    Site("College Park", 38.99, -76.93, 6.4),
)
NSFNET_LINKS = (
    ("Seattle", "Palo Alto"),
    ("Seattle", "San Diego"),
    ("Seattle", "Champaign"),
    ("Palo Alto", "San Diego"),
    ("Palo Alto", "Salt Lake City"),
    ("San Diego", "Houston"),
    ("Salt Lake City", "Boulder"),
    ("Salt Lake City", "Ann Arbor"),
    ("Boulder", "Lincoln"),
    ("Boulder", "Houston"),
    ("Lincoln", "Champaign"),
    ("Houston", "Atlanta"),
    ("Houston", "College Park"),
    ("Atlanta", "Pittsburgh"),
    ("Champaign", "Pittsburgh"),
    ("Pittsburgh", "Ithaca"),
    ("Pittsburgh", "Princeton"),
    ("Ann Arbor", "Ithaca"),
    ("Ann Arbor", "Princeton"),
    ("College Park", "Ithaca"),
    ("College Park", "Princeton"),
)
