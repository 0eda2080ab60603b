// What a device does with arithmetic, whatever it says. One work-item per element, or per vector of elements.

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

// Sixteen chains, enough to keep every multiply-add unit busy. fused: which of the two instructions.
#define CHAINS 16
kernel void probe_speed(global scalar *out, scalar factor, int rounds, int fused)
{
    real t[CHAINS];
    int i = (int)get_global_id(0);
    EACH (j, CHAINS)
        t[j] = REAL(i + j);
    real f = (real)factor;
    if (fused) {
        for (int n = 0; n < rounds; n++)
            EACH (j, CHAINS)
                t[j] = fma(t[j], f, f);
    } else {
        for (int n = 0; n < rounds; n++)
            EACH (j, CHAINS)
                t[j] = t[j] * f + f;
    }
    real s = t[0];
    EACH (j, CHAINS - 1)
        s += t[j + 1];
    STORE(s, out + i * LANES);
}

// How fast memory can be written: a vector per work-item, through the caches or past them.
kernel void limit_fill(global scalar *out, scalar value, int vectors, int streamed)
{
    int i = (int)get_global_id(0);
    if (i >= vectors)
        return;
    if (streamed)
        STREAM((real)value, out + (long)i * LANES);
    else
        STORE((real)value, out + (long)i * LANES);
}
