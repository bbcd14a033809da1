"""A connection over libpq, without a driver package: one process, precise clocks, the backend's pid at hand."""
import ctypes
import ctypes.util
import glob
import os
import time

_NAME = ctypes.util.find_library("pq") or (glob.glob("/usr/lib/*/libpq.so.5") + ["libpq.so.5"])[0]
_PQ = ctypes.CDLL(_NAME)
for _f, _res, _args in (
    ("PQconnectdb", ctypes.c_void_p, [ctypes.c_char_p]),
    ("PQstatus", ctypes.c_int, [ctypes.c_void_p]),
    ("PQerrorMessage", ctypes.c_char_p, [ctypes.c_void_p]),
    ("PQbackendPID", ctypes.c_int, [ctypes.c_void_p]),
    ("PQexec", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p]),
    ("PQresultStatus", ctypes.c_int, [ctypes.c_void_p]),
    ("PQresultErrorMessage", ctypes.c_char_p, [ctypes.c_void_p]),
    ("PQresultErrorField", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int]),
    ("PQntuples", ctypes.c_int, [ctypes.c_void_p]),
    ("PQnfields", ctypes.c_int, [ctypes.c_void_p]),
    ("PQgetvalue", ctypes.c_char_p, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
    ("PQgetisnull", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
    ("PQclear", None, [ctypes.c_void_p]),
    ("PQfinish", None, [ctypes.c_void_p]),
    ("PQsetNoticeProcessor", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]),
):
    getattr(_PQ, _f).restype = _res
    getattr(_PQ, _f).argtypes = _args

# A notice processor in C: free(NULL) does nothing, without a way through Python while the clock runs.
_SILENT = ctypes.CDLL(None).free
_TUPLES_OK, _COMMAND_OK, _EMPTY = 2, 1, 0
_DIAG_SQLSTATE = ord("C")


class DatabaseError(Exception):
    def __init__(self, message, sqlstate, sql):
        super().__init__(f"{message.strip()}\nstatement: {sql[:300]}")
        self.sqlstate = sqlstate


class Connection:
    """Notices are dropped: what a run says to a person is not measured here."""

    def __init__(self, dbname):
        info = f"host='{os.environ['PGHOST']}' port='{os.environ['PGPORT']}' user='{os.environ['PGUSER']}' dbname='{dbname}'"
        self._conn = _PQ.PQconnectdb(info.encode())
        if _PQ.PQstatus(self._conn) != 0:
            message = _PQ.PQerrorMessage(self._conn).decode()
            _PQ.PQfinish(self._conn)
            raise DatabaseError(message, "08001", "connect to " + dbname)
        _PQ.PQsetNoticeProcessor(self._conn, ctypes.cast(_SILENT, ctypes.c_void_p), None)
        self.pid = _PQ.PQbackendPID(self._conn)

    def run(self, sql):
        """Sends one string (several statements are one transaction) and returns the last result as rows of text."""
        return self.timed(sql)[1]

    def timed(self, sql):
        """The same, with the seconds until libpq had the whole result: what Python makes of it is not the server's time."""
        text = sql.encode()
        start = time.perf_counter()
        res = _PQ.PQexec(self._conn, text)
        seconds = time.perf_counter() - start
        try:
            if _PQ.PQresultStatus(res) not in (_TUPLES_OK, _COMMAND_OK, _EMPTY):
                state = _PQ.PQresultErrorField(res, _DIAG_SQLSTATE) or b""
                raise DatabaseError(_PQ.PQresultErrorMessage(res).decode(), state.decode(), sql)
            fields = range(_PQ.PQnfields(res))
            return seconds, [tuple(None if _PQ.PQgetisnull(res, r, f) else _PQ.PQgetvalue(res, r, f).decode() for f in fields)
                             for r in range(_PQ.PQntuples(res))]
        finally:
            _PQ.PQclear(res)

    def value(self, sql):
        return self.run(sql)[0][0]

    def close(self):
        if self._conn:
            _PQ.PQfinish(self._conn)
            self._conn = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
