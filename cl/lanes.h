// Vectors of LANES values between memory and registers. Addresses need the alignment of a scalar only, but for
// LOAD_ALIGNED, STORE_ALIGNED and STREAM.
#ifndef ISG_CL_LANES_H
#define ISG_CL_LANES_H

#include "real.h"

#if LANES == 1
#define LOAD(p)     (*(p))
#define STORE(v, p) (*(p) = (v))
#else
#define LOAD(p)     ISG_CAT(vload, LANES)(0, p)
#define STORE(v, p) ISG_CAT(vstore, LANES)(v, 0, p)
#endif

// The same, where clang is told of a vector at any address and moves it in one piece, which is more than some
// libraries' vload16 and vstore16 do.
#if LANES > 1 && defined(__clang__)
typedef real real_anywhere __attribute__((aligned(REAL_BITS / 8)));
#define LOAD_ANYWHERE(p)     (*(global const real_anywhere *)(p))
#define STORE_ANYWHERE(v, p) (*(global real_anywhere *)(p) = (v))
#else
#define LOAD_ANYWHERE(p)     LOAD(p)
#define STORE_ANYWHERE(v, p) STORE(v, p)
#endif

// At a multiple of a vector, which lets GPUs move it as one.
#define LOAD_ALIGNED(p)     (*(global const real *)(p))
#define STORE_ALIGNED(v, p) (*(global real *)(p) = (v))

// Stores past the caches where the compiler can, which saves reading each line first: for large results that are not
// read soon. p: aligned to a vector.
#if LANES > 1 && defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store)
#define STREAM(v, p) __builtin_nontemporal_store(v, (global real *)(p))
#endif
#endif
#ifndef STREAM
#define STREAM(v, p) STORE_ALIGNED(v, p)
#endif

#define EACH(v, n) _Pragma("unroll") for (int v = 0; v < (n); v++)

#endif
