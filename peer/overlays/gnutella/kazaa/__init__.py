"""The rules of KaZaA that its users knew: participation levels, and queues of uploads by level."""
