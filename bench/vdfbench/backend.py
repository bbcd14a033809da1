"""What one statement costs its backend: CPU, wall, WAL, private memory."""
import threading
import time


def cpu_seconds(pid):
    """User + system seconds of a process, in nanosecond steps where the kernel offers them."""
    try:
        with open(f"/proc/{pid}/schedstat") as f:
            return int(f.read().split()[0]) / 1e9
    except OSError:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100.0


def private_bytes(pid):
    """RssAnon leaves shared buffers out, which VmHWM does not."""
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


class _MemoryWatch(threading.Thread):
    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.base, self.peak = pid, private_bytes(pid), 0
        self._over = threading.Event()

    def run(self):
        while not self._over.wait(0.01):
            self.peak = max(self.peak, private_bytes(self.pid))

    def end(self):
        self._over.set()
        self.join()
        return max(self.peak, private_bytes(self.pid)) - self.base


def measure(conn, statements, observer):
    """Runs the statements one after the other. The observer is another connection: it reads the WAL position
    without adding to the backend that is measured."""
    lsn = observer.value("SELECT pg_current_wal_insert_lsn()")
    watch = _MemoryWatch(conn.pid)
    watch.start()
    cpu, wall = cpu_seconds(conn.pid), time.perf_counter()
    rows = None
    try:
        for sql in statements:
            rows = conn.run(sql)
    finally:
        wall, cpu = time.perf_counter() - wall, cpu_seconds(conn.pid) - cpu
        memory = watch.end()
    wal = int(observer.value(f"SELECT (pg_current_wal_insert_lsn() - '{lsn}'::pg_lsn)::bigint"))
    return {"cpu": cpu, "wall": wall, "wal": wal, "memory": memory}, rows
