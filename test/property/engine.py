"""The engine under test: dry run, run with and without fast_ri, compared with the reference and with each other."""


def check(cursor, case, catalogue, reference, state):
    return []
