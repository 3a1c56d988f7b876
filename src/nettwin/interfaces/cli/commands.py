"""The commands by name, in the order of the help, and what the help says of each.

`nettwin --help` needs no more than this; the module of a command is imported when it is asked for.
"""

from __future__ import annotations

COMMANDS = {
    "predict": "Predict delay, loss and utilization, at once, by queueing theory.",
    "simulate": "Simulate every packet, with confidence intervals, events and time series.",
    "compare": "Compare engines with one another, or with what the source measured.",
    "bounds": (
        "Show the worst-case delay of each flow and queue, which no delivered packet exceeds, by "
        "network calculus."
    ),
    "whatif": "Show what changes if a link fails, traffic grows, a weight or a queue is set.",
    "failures": (
        "Show what every failure does: the worst load of each link and its cause, what is cut "
        "off, delay, loss, and which expectations break."
    ),
    "bottlenecks": (
        "Show the links with the highest offered loads: which flows fill each, and what relieves "
        "it most: more capacity, another weight, other paths."
    ),
    "capacity": (
        "Plan capacity: forecast traffic, show when links and intents run out, and find the"
        " cheapest upgrades that survive every single failure."
    ),
    "fit": (
        "Show whether new traffic fits, which flows it hurts, and the largest rate that fits; "
        "exit with 4 where it does not fit."
    ),
    "explain": (
        "Explain delay and loss: where they arise, which flows cause them, which queues decide."
    ),
    "troubleshoot": (
        "Rank what may cause an incident: each fault predicted by the twin and held against what "
        "was measured; with evidence, the next measurement, the repair and hardening."
    ),
    "watch": (
        "Watch a time of the network against its twin: what is odd of flows and links, with as "
        "many false alarms as asked, grouped into incidents with place and kind."
    ),
    "intent": "Check an intent against a network; list the measures and levers that intents know.",
    "optimize": (
        "Find the changes to a network that meet an intent, in a safe order, and verify them; exit "
        "with 4 where the intent is not met."
    ),
    "drain": (
        "Find the smallest change plan that takes a node or link out of service and keeps an "
        "intent, and the changes that bring it back; exit with 4 where the intent is not met or "
        "traffic is left."
    ),
    "inspect": "Show what a network is, what was assumed, and the issues of each engine with it.",
    "diff": (
        "Show what differs between two networks: topology, traffic, routing, and with --engine "
        "what delays, losses and loads become."
    ),
    "apply": (
        "Write a network file with changes made. It edits files only: no device, and no network "
        "that runs, is touched."
    ),
    "convert": "Convert a network to another format, and report what was assumed or left out.",
    "generate": "Generate a network with gravity traffic: real, regular or random.",
    "dataset": "Generate training data from a recipe, inspect it, and convert it.",
    "train": "Train a model, adapt one to other data, or train an agent; resumes where it stopped.",
    "models": "The learned models: those that nettwin ships, and those that you install.",
    "init": "Make a workspace: the folder of one twin, with its network, intents and policy.",
    "loop": (
        "Keep a network as its intent wants it: observe, predict, judge, optimize, verify, approve,"
        " apply, measure, and keep or roll back."
    ),
    "status": "Show where the loop of a workspace stands, and what its network is like now.",
    "history": (
        "Show what was seen and done in a workspace, or the network as it was at a time; predict it"
        " and compare."
    ),
    "plan": "Plans of a workspace: list, add, verify, approve, apply and undo them.",
    "serve": "Serve a workspace over HTTP: the API and the web pages, for people with tokens.",
    "top": (
        "Show links, flows, events and the loop of a live network on the terminal, the worst first."
    ),
    "mcp": (
        "Serve the twin to a language model over stdio (Model Context Protocol): of a workspace, or"
        " of a server that runs."
    ),
    "people": (
        "People of a workspace: add them with roles, renew or revoke their tokens, and list them."
    ),
    "network": "The network of a workspace: let something happen to it, serve its counters.",
    "repository": "The history of a workspace on disk: check, repair, maintain and export it.",
    "data": (
        "Telemetry of a network: what a source tells, what is wrong with it, and the history of it."
    ),
    "calibrate": (
        "Correct the twin of a workspace from what was measured, and show how far it is off before"
        " and after."
    ),
    "lab": (
        "Training labs: a network with a hidden fault, goals, hints, points and a debriefing; exams"
        " with signed results."
    ),
    "demo": (
        "Show the main job on NSFNET: predict, simulate, fail the worst link, meet an intent, plot."
    ),
}
