// Results become visible together: the array's file and its picture, or neither.
#ifndef ISG_TOOLS_DELIVER_H
#define ISG_TOOLS_DELIVER_H

#include "options.h"
#include "plot.h"

// Draws `a` where common->plot says and commits *file where common->output says. A failure is complained of, leaves
// what was there before, and gives EXIT_FAILED.
int deliver(const common_options *common, isg_npy **file, const isg_array *a, const plot_params *params);

// The same with a picture and a file of the caller's own: how the picture is written to a path, and how the file is
// committed. The message of a failure begins with the name of what failed.
typedef struct delivery {
    isg_status (*draw)(void *user, const char *path, isg_error *error);
    isg_status (*commit)(void *user, isg_error *error);
    void *user;
} delivery;

int deliver_as(const common_options *common, const delivery *d);

#endif
