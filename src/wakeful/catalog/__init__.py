"""Room card: catalog.

What is here: what a server offers at the moment, and how that changes while it runs. A `snapshot` is one frozen catalog
of agents, models, providers and tools. What code defines is publication 0; every change an operator makes is one entry
of the `journal`, which is at once the record's new version, the publication and the line of the audit log. `records`
puts what code defines and what operators wrote together, `editor` makes changes, `catalogs` keeps the snapshots of this
process and follows what others publish, `vault` seals secrets.
Start reading: `snapshot.py`, `journal.py`, `editor.py`, `catalogs.py`.
May import: contracts.
Invariant: a change is one document, written only if nobody changed anything since and if the whole catalog with it
holds; a publication never changes, so what a run began with can always be built again.
"""
