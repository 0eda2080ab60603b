# shellcheck shell=sh
# What isogram needs from the system, by the names of Debian's packages: the one list, for tools/quickstart and tools/test.
# Sourced, not run.
# shellcheck disable=SC2034  # used where this is sourced

packages_build='gcc libc6-dev pkg-config meson ninja-build python3
    ocl-icd-opencl-dev libpng-dev libxxhash-dev libcjson-dev pocl-opencl-icd'
packages_test='g++ check libmpfr-dev'
# Further OpenCL implementations, which the bits are compared on, and what other instruction sets need. All optional.
packages_implementations='mesa-opencl-icd oclgrind python3-pip'
# What results are compared with: SciPy's own tests among them.
packages_peers='python3-scipy python3-pytest'
# The Python package, its tests, and what builds wheels.
packages_python='python3-dev python3-cffi python3-numpy python3-pytest python3-scipy python3-sklearn'
packages_cross='qemu-user-static gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf'
packages_last='clang'  # after the others, as PoCL may have brought one

say()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# An answer counts, not a name in PATH: a version manager's stand-in has the name only.
works()
{
    "$1" --version >/dev/null 2>&1
}

any_file()
{
    for file; do
        [ -e "$file" ] && return
    done
    return 1
}

# The clang to use: the one called so, else one with a number, which PoCL often brings.
find_clang()
{
    for clang in clang /usr/bin/clang-[0-9]*; do
        works "$clang" && echo "$clang" && return
    done
    return 1
}

# Whether a package's purpose is served, by that package or by something else.
present()
{
    case $1 in
    gcc) works cc || works gcc ;;
    g++) works c++ || works g++ ;;
    libc6-dev) any_file /usr/include/stdio.h || echo '#include <stdio.h>' | cc -E - >/dev/null 2>&1 ;;
    ninja-build) works ninja || works ninja-build ;;
    pocl-opencl-icd) any_file /etc/OpenCL/vendors/*pocl* ;;
    clang) find_clang >/dev/null ;;
    mesa-opencl-icd) any_file /etc/OpenCL/vendors/mesa.icd ;;
    oclgrind) any_file /usr/lib/oclgrind/liboclgrind-rt-icd.so ;;
    python3-scipy) python3 -c 'import scipy' 2>/dev/null || /usr/bin/python3 -c 'import scipy' 2>/dev/null ;;
    python3-pytest) python3 -c 'import pytest' 2>/dev/null || /usr/bin/python3 -c 'import pytest' 2>/dev/null ;;
    python3-dev) any_file /usr/include/python3*/Python.h ;;
    python3-cffi) /usr/bin/python3 -c 'import cffi' 2>/dev/null ;;
    python3-numpy) /usr/bin/python3 -c 'import numpy' 2>/dev/null ;;
    python3-sklearn) /usr/bin/python3 -c 'import sklearn' 2>/dev/null ;;
    python3-pip) python3 -m pip --version >/dev/null 2>&1 ;;
    qemu-user-static) works qemu-aarch64-static && works qemu-arm-static ;;
    gcc-aarch64-linux-gnu) works aarch64-linux-gnu-gcc ;;
    gcc-arm-linux-gnueabihf) works arm-linux-gnueabihf-gcc ;;
    ocl-icd-opencl-dev) pkg-config --exists OpenCL 2>/dev/null ;;
    libpng-dev) pkg-config --exists libpng 2>/dev/null ;;
    libxxhash-dev) pkg-config --exists libxxhash 2>/dev/null ;;
    libcjson-dev) pkg-config --exists libcjson 2>/dev/null ;;
    libmpfr-dev) pkg-config --exists mpfr 2>/dev/null ;;
    check) pkg-config --exists check 2>/dev/null ;;
    *) works "$1" ;;
    esac
}

# Whether one can go on without a package: each OpenCL implementation is one among others, further compilers are second
# opinions.
optional()
{
    case $1 in
    pocl-opencl-icd | g++ | clang | mesa-opencl-icd | oclgrind | python3-pip | python3-scipy | python3-pytest | python3-dev | python3-cffi | python3-numpy | python3-sklearn | qemu-user-static | gcc-*-linux-*) true ;;
    *) false ;;
    esac
}

missing()
{
    for package; do
        present "$package" || printf ' %s' "$package"
    done
}

as_root()
{
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

apt_get()
{
    as_root apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# Installs those of the packages $@ that are missing. Fails when one that is indispensable stays missing.
need()
{
    lacking=$(missing "$@")
    if [ "$lacking" ] && works apt-get && { [ "$(id -u)" = 0 ] || works sudo; }; then
        say "installing$lacking"
        apt_get update || say 'the package lists could not be updated; trying those that are here'
        # shellcheck disable=SC2086  # a list of words
        apt_get --no-install-recommends install $lacking || say 'the installation failed'
        lacking=$(missing "$@")
    fi
    indispensable=
    for package in $lacking; do
        if optional "$package"; then
            say "going on without $package"
        else
            indispensable="$indispensable $package"
        fi
    done
    [ -z "$indispensable" ] || say "missing, by the names on Debian and Ubuntu:$indispensable"
    [ -z "$indispensable" ]
}
