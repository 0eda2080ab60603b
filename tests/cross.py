#!/usr/bin/env python3
"""isogram on another instruction set: cross.py ARCH SOURCE_ROOT WORK_DIR [-- COMMAND ...]

ARCH is arm64, armhf or i386. Unpacks that architecture's PoCL, and what isogram needs, into WORK_DIR/ARCH/root,
compiles isogram against it and installs it there, then runs the command in a chroot, under qemu where the processor
needs it. Without a command: `isogram verify --quick` of the architecture's contract; arm64 and armhf have both precisions and
both arithmetics between them, for under qemu compilers take minutes (suite exhaustive: all contracts on each). Nothing is
installed on this system, mounts are private to the run, binfmt entries are not needed, and a root that is complete is
used again. The exit status is the command's; 77, which skips a test, when something is missing.

On i386 PoCL 3.1 computes in extended precision and says nothing of it. There isogram must refuse: the exit status is 0
when the command failed with the words of a refusal, 1 otherwise.
"""
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SKIPPED = 77
VERIFY = ["isogram", "verify", "--quick"]
PACKAGES = ["pocl-opencl-icd", "ocl-icd-libopencl1", "ocl-icd-opencl-dev", "libpng-dev", "libxxhash-dev",
            "libcjson-dev", "libc6-dev", "binutils", "dash"]


@dataclass
class Architecture:
    name: str  # Debian's
    triplet: str
    libdir: str
    family: str  # meson's
    package: str  # the compiler's
    compiler: list
    qemu: str = None  # None: this processor runs it
    wrong: bool = False  # PoCL's numbers
    contract: tuple = ()  # precision and arithmetic; none: all


ARCHITECTURES = {a.name: a for a in [
    Architecture("arm64", "aarch64-linux-gnu", "aarch64-linux-gnu", "aarch64", "gcc-aarch64-linux-gnu",
                 ["aarch64-linux-gnu-gcc"], "qemu-aarch64-static", contract=("f64", "fused")),
    Architecture("armhf", "arm-linux-gnueabihf", "arm-linux-gnueabihf", "arm", "gcc-arm-linux-gnueabihf",
                 ["arm-linux-gnueabihf-gcc"], "qemu-arm-static", contract=("f32", "unfused")),
    Architecture("i386", "i686-linux-gnu", "i386-linux-gnu", "x86", "gcc", ["gcc", "-m32"], wrong=True),
]}
REFUSAL = re.compile("although told not to|self-check failed|does not round")

APT_CONF = """
#clear APT::Architectures;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "{arch}";
APT::Architectures {{ "{arch}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Dir::State "{apt}";
Dir::State::lists "{apt}/lists";
Dir::State::status "{apt}/status";
Dir::Cache "{apt}";
Dir::Cache::archives "{apt}/archives";
"""

# PoCL calls the linker for every kernel; without a binfmt entry the system can start it only so.
LINKER = """#!/usr/bin/{qemu} /bin/dash
exec /usr/bin/{qemu} /usr/bin/ld.bfd "$@"
"""

CROSS_FILE = """
[binaries]
c = {compiler}
pkgconfig = 'pkg-config'
[properties]
needs_exe_wrapper = true
sys_root = '{root}'
pkg_config_libdir = ['{root}/usr/lib/{libdir}/pkgconfig', '{root}/usr/share/pkgconfig']
[built-in options]
c_args = ['--sysroot={root}']
c_link_args = ['--sysroot={root}']
[host_machine]
system = 'linux'
cpu_family = '{family}'
cpu = '{family}'
endian = 'little'
"""

# $1: the root; then the command, by its path in there.
ENTER = 'root=$1; shift; for d in dev proc sys; do mount --rbind /$d "$root/$d"; done; exec chroot "$root" "$@"'
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": "/root", "ISOGRAM_CACHE_DIR": "off",
               "POCL_CACHE_DIR": "/tmp/pocl",
               "OCL_ICD_VENDORS": "/etc/OpenCL/vendors/pocl.icd"}  # folders cannot be read under a 32-bit qemu

# Of the caller's environment, what would lead a cross-compilation astray.
NATIVE = {"CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "DESTDIR"}


class Missing(Exception):
    pass


class Cross:
    def __init__(self, architecture, work):
        self.arch = architecture
        self.place = Path(work).resolve() / architecture.name
        self.root = self.place / "root"

    def say(self, text):
        print(f"cross.py {self.arch.name}: {text}", flush=True)

    def logged(self, name, *command):
        """Runs a command whose output goes to a log of that name. Whether it succeeded."""
        environment = {k: v for k, v in os.environ.items() if k not in NATIVE and not k.startswith("PKG_CONFIG")}
        with open(self.place / f"{name}.log", "ab") as log:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        return done.returncode == 0

    def show(self, name):
        self.say(f"the end of {name}.log:")
        print("\n".join((self.place / f"{name}.log").read_text(errors="replace").splitlines()[-25:]), flush=True)

    def must(self, name, *command):
        if not self.logged(name, *command):
            self.show(name)
            sys.exit(f"cross.py {self.arch.name}: {' '.join(command[:2])} failed")

    def check_needs(self):
        if os.geteuid() != 0:
            raise Missing("root's rights, for chroot and mounts")
        for tool in ["apt-get", "dpkg", "meson", "pkg-config", "unshare", "mount", "chroot"]:
            if not shutil.which(tool):
                raise Missing(tool)
        own = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True).stdout.strip()
        if own == self.arch.name or (not self.arch.qemu and own != "amd64"):
            raise Missing(f"another processor than {own}")
        if self.arch.qemu and not shutil.which(self.arch.qemu):
            raise Missing("qemu-user-static")
        if not shutil.which(self.arch.compiler[0]):
            raise Missing(self.arch.package)
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
            raise Missing("the right to a mount namespace")

    def download(self):
        """The packages, with an APT that knows only the sources and keys of this system's."""
        apt, conf = self.place / "apt", self.place / "apt.conf"
        (apt / "lists/partial").mkdir(parents=True)
        (apt / "archives/partial").mkdir(parents=True)
        (apt / "status").touch()
        conf.write_text(APT_CONF.format(arch=self.arch.name, apt=apt))
        self.logged("apt", "apt-get", "-q", "-c", str(conf), "update")  # what fails and matters fails below as well
        if not self.logged("apt", "apt-get", "-q", "-y", "-c", str(conf), "--download-only", "install", *PACKAGES):
            self.show("apt")
            raise Missing(f"packages of {self.arch.name} from the sources in /etc/apt")
        packages = sorted((apt / "archives").glob("*.deb"))
        self.say(f"{len(packages)} packages, {sum(p.stat().st_size for p in packages) / 1e6:.0f} MB")
        return packages

    def unpack(self, packages):
        for folder in ["dev", "proc", "sys", "tmp", "root"]:
            (self.root / folder).mkdir(parents=True)
        for package in packages:
            self.must("unpack", "dpkg", "-x", str(package), str(self.root))
        for folder in ["bin", "lib", "lib64", "sbin"]:  # where packages have moved all of it to /usr
            if not (self.root / folder).exists():
                (self.root / folder).symlink_to(f"usr/{folder}")
        for link in (self.root / "usr/lib" / self.arch.libdir).glob("*.so"):  # /lib/... is right only from inside
            if link.is_symlink() and os.readlink(link).startswith("/"):
                target = os.path.relpath(f"{self.root}{os.readlink(link)}", link.parent)
                link.unlink()
                link.symlink_to(target)
        if self.arch.qemu:
            shutil.copy(shutil.which(self.arch.qemu), self.root / "usr/bin" / self.arch.qemu)
            linker = self.root / "usr/bin/ld"
            linker.unlink()
            linker.write_text(LINKER.format(qemu=self.arch.qemu))
            linker.chmod(0o755)

    def compile(self, source):
        build, cross_file = self.place / "build", self.place / "cross.ini"
        if not (build / "build.ninja").exists():
            shutil.rmtree(build, ignore_errors=True)
            compiler = list(self.arch.compiler)
            if not self.arch.qemu:  # the native compiler, with start files and libgcc from the root
                compiler += [f"-B{folder}" for folder in (self.root / "usr/lib/gcc" / self.arch.triplet).iterdir()]
            cross_file.write_text(CROSS_FILE.format(compiler=compiler, root=self.root, libdir=self.arch.libdir,
                                                    family=self.arch.family))
            self.must("compile", "meson", "setup", str(build), source, "--cross-file", str(cross_file),
                      "--prefix=/usr", "--libdir=lib", "-Dtests=false", "-Dclblast=disabled", "-Dwerror=true")
        self.must("compile", "meson", "compile", "-C", str(build))
        self.must("compile", "meson", "install", "-C", str(build), "--no-rebuild", "--only-changed", "--tags=runtime",
                  f"--destdir={self.root}")

    def inside(self, *command, **options):
        """Runs a command in the root."""
        emulator = [f"/usr/bin/{self.arch.qemu}"] if self.arch.qemu else []
        return subprocess.run(["unshare", "--mount", "sh", "-ec", ENTER, "sh", str(self.root), *emulator, *command],
                              stdin=subprocess.DEVNULL, env=ENVIRONMENT, **options)

    def run(self, name, *arguments):
        command = [f"/usr/bin/{name}", *arguments]
        if self.inside("/bin/dash", "-c", "exit 5", capture_output=True).returncode != 5:
            raise Missing(f"a system that runs programs of {self.arch.name}")
        if not self.arch.wrong:
            return self.inside(*command).returncode
        done = self.inside(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        print(done.stdout, end="", flush=True)
        refused = done.returncode == 1 and REFUSAL.search(done.stdout)
        self.say("refused, as it must be" if refused else f"not refused: exit status {done.returncode}")
        return 0 if refused else 1


def main(arch, source, work, dashes="--", *command):
    if arch not in ARCHITECTURES or dashes != "--":
        sys.exit(__doc__)
    cross = Cross(ARCHITECTURES[arch], work)
    if not command:
        command = [*VERIFY, *(word for pair in zip(("--precision", "--arithmetic"), cross.arch.contract) for word in pair)]
    start = time.monotonic()

    def lap(what):
        nonlocal start
        cross.say(f"{what}: {time.monotonic() - start:.1f} s")
        start = time.monotonic()

    try:
        cross.check_needs()
        cross.place.mkdir(parents=True, exist_ok=True)
        with open(f"{cross.place}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            stamp, recipe = cross.place / "complete", hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
            if stamp.exists() and stamp.read_text() == recipe:
                lap("the root is here already")
            else:
                shutil.rmtree(cross.place)
                cross.place.mkdir()
                packages = cross.download()
                lap("downloaded")
                cross.unpack(packages)
                shutil.rmtree(cross.place / "apt")
                stamp.write_text(recipe)
                lap("unpacked")
            cross.compile(source)
            lap("compiled")
        code = cross.run(*command)
        lap(" ".join(command))
        return code
    except Missing as what:
        cross.say(f"skipped: missing {what}")
        return SKIPPED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 3 else __doc__)
