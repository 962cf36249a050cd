"""A throw-away Linux with a kernel NFS client: User Mode Linux over this machine's own root.

The guest is one process of the host. Its root is the host's, read-only; what it may write is a
tmpfs and one temporary directory of the host. Its network is user-mode TCP (slirp), in which
10.0.2.2 is the host's loopback.
"""

import os
import shutil
import signal
import subprocess
import tempfile

import ashlar

PROGRAMS = ("linux.uml", "slirp-fullbolt")
HOST = "10.0.2.2"

# Runs as the guest's first process. `set +e`: whatever happens, the guest must end.
INIT = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/mnt LC_ALL=C.UTF-8
mount -t proc proc /proc; mount -t sysfs sys /sys
mount -t tmpfs t /mnt; mkdir -p /mnt/lib /mnt/nfs /mnt/out
mount -t hostfs -o {out} none /mnt/out
ln -s /usr/lib/uml/modules /mnt/lib/modules
(
    modprobe -d /mnt nfsv3
    ip link set lo up; ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up
    mount -i -t nfs -o {options} {host}:{export} /mnt/nfs && cd /mnt/nfs &&
        {user} sh -eu /mnt/out/script
    echo $? > /mnt/out/code
    cd /; umount /mnt/nfs || umount -l /mnt/nfs
) > /mnt/out/output 2>&1
sync
echo o > /proc/sysrq-trigger
while :; do read -r _ < /proc/1/stat; done
"""


def missing():
    found = [name for name in PROGRAMS
             if not (shutil.which(name) or os.path.exists("/usr/bin/" + name))]
    if found:
        return f"{', '.join(found)} not installed"
    if not os.path.isdir("/usr/lib/uml/modules"):
        return "User Mode Linux has no modules here"
    return None


def run(server, export, script, options="", owner=None, seconds=240):
    """Runs a shell script in the mount of `export`; returns its output. Failed if it failed."""
    folder = tempfile.mkdtemp(prefix="ashlar-guest-")
    try:
        return _run(folder, server, export, script, options, owner, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder, server, export, script, options, owner, seconds):
    mount_options = (f"addr={HOST},vers=3,proto=tcp,mountproto=tcp,nolock,port={server.nfs_port},"
                     f"mountport={server.nfs_port}" + ("," + options if options else ""))
    user = f"setpriv --reuid {owner[0]} --regid {owner[1]} --clear-groups" if owner else ""
    out = os.path.join(folder, "out")
    os.makedirs(out)
    os.chmod(folder, 0o755)
    os.chmod(out, 0o777)
    with open(os.path.join(out, "script"), "w", encoding="utf-8") as file:
        file.write(script)
    init = os.path.join(folder, "init")
    with open(init, "w", encoding="utf-8") as file:
        file.write(INIT.format(out=out, options=mount_options, host=HOST, export=export, user=user))
    os.chmod(init, 0o755)
    console = os.path.join(folder, "console")
    with open(console, "wb") as log:
        guest = subprocess.Popen(
            ["linux.uml", "mem=512M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={init}",
             "con=null", "con0=null,fd:1", "ssl=null", f"uml_dir={folder}", "umid=guest",
             "eth0=slirp,,/usr/bin/slirp-fullbolt"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": folder}, start_new_session=True)
        try:
            guest.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(guest.pid, signal.SIGKILL)
            guest.wait()

    def text(name):
        path = os.path.join(out, name)
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    if text("code").strip() != "0":
        with open(console, encoding="utf-8", errors="replace") as log:
            raise ashlar.Failed(f"in the guest: exit {text('code').strip() or 'unknown'}\n"
                                f"{text('output')[-3000:]}\n--- console:\n{log.read()[-1500:]}\n"
                                f"--- server:\n{server.log(20)}")
    return text("output")
