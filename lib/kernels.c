// The registry of covariance functions: rows, and looking them up. Knows nothing of devices.
#include "kernels.h"

#include <string.h>

static const isg_kernel rows[] = {
#define KERNEL(id, ...) {.name = #id, .formula = "f_" #id, __VA_ARGS__},
#include "kernels.def"
#undef KERNEL
};

static const isg_kernel *const list[] = {
#define KERNEL(id, ...) &rows[ISG_KERNEL_##id],
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
