// What a device does with arithmetic, whatever it says. One work-item per element, or per vector of elements.
#include "exp.h"
#include "lanes.h"


// Products, sums and both kinds of multiply-add of given numbers, scalar by scalar: the host knows the right bits.
kernel void probe_arithmetic(global const scalar *a, global const scalar *b, global const scalar *c,
                             global scalar *product, global scalar *sum, global scalar *unfused, global scalar *fused,
                             int count)
{
    int i = (int)get_global_id(0);
    if (i >= count)
        return;
    product[i] = a[i] * b[i];
    sum[i] = a[i] + c[i];
    unfused[i] = a[i] * b[i] + c[i];
    fused[i] = fma(a[i], b[i], c[i]);
}

// 64-bit integers, which indices and the integer fma need: the low and the high half of a product, sums and shifts.
kernel void probe_integers(global const ulong *a, global const ulong *b, global ulong *out, int count)
{
    int i = (int)get_global_id(0);
    if (i >= count)
        return;
    ulong x = a[i], y = b[i];
    out[i] = (x * y ^ mul_hi(x, y)) + (x << (int)(y & 63)) - (y >> (int)(x & 63)) + (ulong)(x < y);
}

// Many rounds of a loop that nobody can foresee.
kernel void probe_rounds(global uint *out, int rounds, int seed)
{
    uint x = (uint)seed;
    for (int n = 0; n < rounds; n++)
        x = (x * 1664525u + (uint)n) ^ (x >> 16);
    out[get_global_id(0)] = x;
}

// The self-check: the contract's own functions in the lanes that kernels will use.
kernel void probe_functions(global const scalar *x, global scalar *exps, global scalar *products, int vectors)
{
    int i = (int)get_global_id(0);
    if (i >= vectors)
        return;
    real e = exp_nonpositive(LOAD(x + i * LANES));
    STORE(e, exps + i * LANES);
    STORE(mul_normal(e, e), products + i * LANES);
}

// Twelve chains, enough to keep every multiply-add unit busy and, with the factor, within 16 registers; each a variable
// of its own, for a compiler that does not unroll would leave an array in memory, and measure that. fused: which of the
// two instructions.
#define CHAINS(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
kernel void probe_speed(global scalar *out, scalar factor, int rounds, int fused)
{
    int i = (int)get_global_id(0);
    real f = (real)factor, s = REAL(0);
#define START(j)  real t##j = REAL(i + j);
#define PLAIN(j)  t##j = t##j * f + f;
#define AT_ONCE(j) t##j = FMA_FUSED(t##j, f, f);
#define SUM(j)    s += t##j;
    CHAINS(START)
    if (fused) {
        for (int n = 0; n < rounds; n++) {
            CHAINS(AT_ONCE)
        }
    } else {
        for (int n = 0; n < rounds; n++) {
            CHAINS(PLAIN)
        }
    }
    CHAINS(SUM)
    STORE(s, out + i * LANES);
}
