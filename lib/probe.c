#include "probe.h"
#include "probe_measure.h"
#include "program.h"
#include "sources.h"

#include <stdlib.h>
#include <string.h>

// Hardware fma costs as much as a multiply and an add, or half of it; software 6 to 1000 times as much.
static const double cheap_fma = 2.5;

static bool chosen_fused(isg_arithmetic asked, bool fma_fused, double fma_cost)
{
    return asked == ISG_ARITHMETIC_AUTO ? fma_fused && fma_cost <= cheap_fma : asked == ISG_ARITHMETIC_FUSED;
}

static bool wants_fused(const isg_context *context, const isg_verdict *v)
{
    return chosen_fused(context->arithmetic, v->fma_fused, v->fma_cost);
}

bool isg_probe_fused(const isg_context *context, isg_dtype dtype)
{
    const isg_probe *p = &context->probe;
    return dtype == ISG_F64 ? chosen_fused(context->arithmetic, p->fma_fused_f64, p->fma_cost_f64)
                            : chosen_fused(context->arithmetic, p->fma_fused_f32, p->fma_cost_f32);
}

static isg_cache_key key_of(const isg_context *context, isg_dtype dtype)
{
    return isg_program_key(context,
                           (const char *const[]){"probe 2", isg_dtype_name(dtype), isg_source_text("probe.cl"), NULL});
}

// Fused arithmetic that was asked for where it is not cheap: by the device's own fma if that rounds once and is the
// faster one, else by integers.
static isg_status choose_fma(isg_context *context, isg_dtype dtype, isg_verdict *v)
{
    isg_status st = ISG_OK;
    bool wide = dtype == ISG_F64;
    if (!wants_fused(context, v) || (v->fma_fused && v->fma_cost <= cheap_fma) || v->integers_cost > 0)
        return ISG_OK;
    context->fma_by_integers[wide] = true;
    TRY(isg_measure_fma(context, dtype, &v->integers_cost));
    v->fma_by_integers = !v->fma_fused || v->integers_cost < v->fma_cost;
fail:
    return st;
}

// Fills in what is not known yet.
static isg_status run_probe(isg_context *context, isg_dtype dtype, isg_verdict *v, bool known)
{
    isg_status st;
    double start = isg_seconds();
    context->fma_by_integers[dtype == ISG_F64] = false;
    if (!known) {
        TRY(isg_measure_arithmetic(context, dtype, v));
        TRY(isg_measure_fma(context, dtype, &v->fma_cost));
    }
    TRY(choose_fma(context, dtype, v));
    context->fma_by_integers[dtype == ISG_F64] = v->fma_by_integers;
    TRY(isg_measure_functions(context, dtype, wants_fused(context, v), v));
    isg_context_log(context, ISG_LOG_INFO, "probed %s in %s: %.3f s", context->device.name, isg_dtype_name(dtype),
                    isg_seconds() - start);
fail:
    isg_programs_forget(context, "probe.cl");
    return st;
}

static void publish(isg_context *context, isg_dtype dtype, const isg_verdict *v, bool trusted)
{
    isg_probe *p = &context->probe;
    p->rounds_to_nearest = v->rounds_to_nearest && (p->rounds_to_nearest || !p->checked);
    p->checked = 1;
    p->contracts = p->contracts || v->contracts;
    p->integers_64 = v->integers_64;
    p->whole_loops = v->whole_loops;
    if (dtype == ISG_F64) {
        p->trusted_f64 = trusted;
        p->fma_fused_f64 = v->fma_fused;
        p->fma_cost_f64 = v->fma_cost;
        p->fma_subnormals_f64 = v->fma_subnormals;
        p->fma_by_integers_f64 = context->fma_by_integers[1];
        p->subnormals_f64 = v->subnormals;
    } else {
        p->trusted_f32 = trusted;
        p->fma_fused_f32 = v->fma_fused;
        p->fma_cost_f32 = v->fma_cost;
        p->fma_subnormals_f32 = v->fma_subnormals;
        p->fma_by_integers_f32 = context->fma_by_integers[0];
        p->subnormals_f32 = v->subnormals;
    }
}

// Whether the contract can be kept; the reason why not.
static isg_status judge(isg_context *context, isg_dtype dtype, const isg_verdict *v)
{
    isg_error *error = &context->error;
    const char *name = context->device.name, *precision = isg_dtype_name(dtype);
    bool fused = wants_fused(context, v);
    if (!v->rounds_to_nearest)
        return isg_fail(error, ISG_ERR_UNTRUSTED, "%s does not round %s to nearest", name, precision);
    if (v->contracts)
        return isg_fail(error, ISG_ERR_UNTRUSTED,
                        "%s fuses a * b + c in %s, or keeps extended precision, although told not to", name, precision);
    if (!v->integers_64)
        return isg_fail(error, ISG_ERR_UNTRUSTED, "%s computes wrong 64-bit integers", name);
    if (v->trusted[fused] != ISG_TRUSTED)
        return isg_fail(error, ISG_ERR_UNTRUSTED, "%s computes wrong numbers in %s: its self-check failed", name,
                        precision);
    return ISG_OK;
}

isg_status isg_probe_precision(isg_context *context, isg_dtype dtype)
{
    bool wide = dtype == ISG_F64;
    isg_verdict *v = &context->verdict[wide];
    isg_cache_key key = key_of(context, dtype);
    if (!context->measured[wide]) {
        void *blob;
        size_t bytes;
        isg_cache_get(&context->cache, key, &blob, &bytes);
        context->measured[wide] = blob && bytes == sizeof *v;
        if (context->measured[wide])
            memcpy(v, blob, sizeof *v);
        free(blob);
    }
    if (!context->measured[wide] || v->trusted[wants_fused(context, v)] == ISG_UNCHECKED) {
        isg_status st = run_probe(context, dtype, v, context->measured[wide]);
        if (st) { // what it has found so far is not all of it
            memset(v, 0, sizeof *v);
            context->measured[wide] = false;
            return st;
        }
        context->measured[wide] = true;
        isg_cache_put(&context->cache, key, v, sizeof *v);
    }
    context->fma_by_integers[wide] = v->fma_by_integers;
    isg_status st = judge(context, dtype, v);
    publish(context, dtype, v, st == ISG_OK);
    return st;
}
