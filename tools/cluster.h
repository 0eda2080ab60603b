// --cluster: the operator's points in the order of isg_gram_cluster, and back.
#ifndef ISG_TOOLS_CLUSTER_H
#define ISG_TOOLS_CLUSTER_H

#include "operator_options.h"

#define CLUSTER_OPTION                                                                                                 \
    {                                                                                                                  \
        "cluster", no_argument, 0, OPTION_CLUSTER                                                                      \
    }

// Its lines of help.
extern const char cluster_help[];

typedef struct clustering {
    bool asked;
    double seconds;
    // Of the operator's rows and columns, in their new order, the places that they had; rows that --include leaves out
    // are not counted. NULL: they kept their order. One set of points has one order.
    int64_t *rows, *columns;
    int64_t *owned[2];
    void *x, *y, *gathered[2], *results; // copies
} clustering;

// Puts the operator's points, read, and what goes with them into order, where that is asked for. EXIT_FAILED after a
// complaint.
int cluster_operator(clustering *c, operator_options *o);

// A copy of a vector or matrix whose rows go with points, in their new order; at most two are made. Without an order,
// or where the number of rows is not theirs, which the library refuses, the array itself. EXIT_FAILED after a
// complaint.
int cluster_gather(clustering *c, const int64_t *places, int64_t count, isg_array *a);

// Forgets an order that is not needed any more, unless it is the other set's, too.
void cluster_release(clustering *c, const int64_t *places);

// An array like `a`, results in the new order, in its place; once. EXIT_FAILED after a complaint.
int cluster_make(clustering *c, isg_array *a);

// The other way round: rows of `from`, in the new order, to their places in `to`, both of one type and shape.
void cluster_scatter(const int64_t *places, const isg_array *from, const isg_array *to);

void cluster_free(clustering *c);

#endif
