// The registry of covariance functions: rows, and looking them up. Knows nothing of devices.
#include "kernels.h"

#include <string.h>

static const isg_kernel rows[] = {
#define KERNEL(id, a, b, ...) {.name = #id, .formula = "f_" #id, __VA_ARGS__},
#include "kernels.def"
#undef KERNEL
};

static const isg_kernel *const list[] = {
#define KERNEL(id, a, b, ...) &rows[ISG_KERNEL_##id],
#include "kernels.def"
#undef KERNEL
    NULL};

const isg_kernel *const *isg_kernel_list(void)
{
    return list;
}

const isg_kernel *isg_kernel_find(const char *name)
{
    if (!name)
        return NULL;
    for (int i = 0; i < ISG_KERNEL_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
        for (int a = 0; a < 4 && rows[i].aliases[a]; a++)
            if (strcmp(rows[i].aliases[a], name) == 0)
                return &rows[i];
    }
    return NULL;
}

int isg_kernel_index(const isg_kernel *kernel)
{
    return (int)(kernel - rows);
}

// The two numbers of a row that its formula takes besides the pair's, for unscaled points.
static void row_numbers(int kernel, double gamma, double length, double param, double *a, double *b)
{
    switch (kernel) {
#define KERNEL(id, a_formula, b_formula, ...)                                                                          \
    case ISG_KERNEL_##id:                                                                                              \
        *a = a_formula;                                                                                                \
        *b = b_formula;                                                                                                \
        break;
#include "kernels.def"
#undef KERNEL
    default: break;
    }
}

isg_status isg_kernel_plan(isg_scale *scale, int kernel, double gamma, double length, double param, double largest,
                           isg_dtype dtype, isg_error *error)
{
    double a = 1, b = 0;
    int power = rows[kernel].pair == ISG_PAIR_SQDIST ? 2 : 1;
    row_numbers(kernel, gamma, length, param, &a, &b);
    if (rows[kernel].scale == ISG_SCALE_NONE) {
        isg_scale_distance(scale, (int)b, largest, dtype);
        return ISG_OK;
    }
    return isg_scale_plan(scale, a, b, power, largest, dtype, error);
}

const char *isg_pair_add(isg_pair pair)
{
    return pair == ISG_PAIR_SQDIST ? "add_sqdist" : "add_l1";
}
