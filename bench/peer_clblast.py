"""X X^T by CLBlast, through ctypes: no wrapper of OpenCL needs to be installed. It knows of no kernel but the product.

Row-major, on the device that `use` names; the result lies in the caller's memory, so that a CPU's device copies nothing.
"""
import ctypes
import ctypes.util
from ctypes import byref, c_double, c_float, c_int, c_size_t, c_uint, c_uint64, c_void_p
from functools import cache

import numpy as np

ROW_MAJOR, NOT_TRANSPOSED, TRANSPOSED = 101, 111, 112
ALL_DEVICES = 0xFFFFFFFF
READ_WRITE, USE_HOST_POINTER, MAP_READ = 1 << 0, 1 << 3, 1

_index = "0:0"


@cache
def libraries():
    """OpenCL and CLBlast, or None."""
    paths = [ctypes.util.find_library(name) for name in ("OpenCL", "clblast")]
    if not all(paths):
        return None
    cl, blas = map(ctypes.CDLL, paths)
    for function, result in ((cl.clCreateContext, c_void_p), (cl.clCreateCommandQueue, c_void_p),
                             (cl.clCreateBuffer, c_void_p), (cl.clEnqueueMapBuffer, c_void_p)):
        function.restype = result
    return cl, blas


def installed():
    return libraries() is not None


def use(index):
    """PLATFORM:DEVICE, numbers in OpenCL's order."""
    global _index
    _index = index


def check(status, what):
    if status:
        raise RuntimeError(f"{what}: status {status}")


def made(create, *arguments):
    """What an OpenCL call that ends with its status makes."""
    status = c_int()
    result = c_void_p(create(*arguments, byref(status)))
    check(status.value, create.__name__)
    return result


@cache
def context_and_queue(index):
    cl, _ = libraries()
    which_platform, which_device = map(int, index.split(":"))
    platforms, devices = (c_void_p * (which_platform + 1))(), (c_void_p * (which_device + 1))()
    check(cl.clGetPlatformIDs(c_uint(len(platforms)), platforms, None), "clGetPlatformIDs")
    check(cl.clGetDeviceIDs(c_void_p(platforms[-1]), c_uint64(ALL_DEVICES), c_uint(len(devices)), devices, None),
          "clGetDeviceIDs")
    device = c_void_p(devices[-1])
    context = made(cl.clCreateContext, None, c_uint(1), byref(device), None, None)
    return context, made(cl.clCreateCommandQueue, context, device, c_uint64(0))


def buffer_over(context, array):
    cl, _ = libraries()
    return made(cl.clCreateBuffer, context, c_uint64(READ_WRITE | USE_HOST_POINTER), c_size_t(array.nbytes),
                c_void_p(array.ctypes.data))


def product(x):
    cl, blas = libraries()
    context, queue = context_and_queue(_index)
    n, d = x.shape
    k = np.empty((n, n), x.dtype)
    gemm, real = (blas.CLBlastSgemm, c_float) if x.dtype == np.float32 else (blas.CLBlastDgemm, c_double)
    points, result = buffer_over(context, x), buffer_over(context, k)
    none, event = c_size_t(0), c_void_p()
    try:
        check(gemm(ROW_MAJOR, NOT_TRANSPOSED, TRANSPOSED, c_size_t(n), c_size_t(n), c_size_t(d), real(1),
                   points, none, c_size_t(d), points, none, c_size_t(d), real(0), result, none, c_size_t(n),
                   byref(queue), byref(event)), "CLBlast's gemm")
        check(cl.clWaitForEvents(c_uint(1), byref(event)), "clWaitForEvents")
        mapped = made(cl.clEnqueueMapBuffer, queue, result, c_uint(1), c_uint64(MAP_READ), none, c_size_t(k.nbytes),
                      c_uint(0), None, None)
        check(cl.clEnqueueUnmapMemObject(queue, result, mapped, c_uint(0), None, None), "clEnqueueUnmapMemObject")
        check(cl.clFinish(queue), "clFinish")
    finally:
        for held, release in ((event, cl.clReleaseEvent), (points, cl.clReleaseMemObject),
                              (result, cl.clReleaseMemObject)):
            if held:
                release(held)
    return k
