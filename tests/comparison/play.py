"""Plays every sequence against the endpoint in AWS_ENDPOINT_URL and prints the answers as JSON."""

import json
import os
import sys

import access
import addons
import clusters
import groups
import identities
import interfaces
import networks
import nodegroups
import paths
import policies
import providers
import roles
import rules
import templates
from player import Player

SEQUENCES = [
    networks, paths, groups, rules, interfaces, templates, roles, policies, providers, identities, clusters, nodegroups, addons, access,
]


def main():
    player = Player(os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    for sequence in SEQUENCES:
        if len(sys.argv) < 2 or sequence.__name__ in sys.argv[1:]:
            sequence.play(player)
    json.dump(player.steps, sys.stdout)


main()
