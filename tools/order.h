// Sorting a picture by class: labels from a .npy file, the order they give, and where classes begin.
#ifndef ISG_TOOLS_ORDER_H
#define ISG_TOOLS_ORDER_H

#include <isogram/base.h>

typedef struct label_order {
    int64_t *order;  // order[shown] = row; equal labels keep their order
    int64_t *breaks; // the first shown index of each class
    char **names;    // its label
    int64_t break_count;
} label_order;

// Reads `rows` whole numbers, and takes those that include has (NULL: all). ISG_ERR_SHAPE, ISG_ERR_DTYPE and what
// isg_npy_open gives.
isg_status label_order_read(label_order *out, const char *path, int64_t rows, const uint8_t *include, isg_error *error);
void label_order_free(label_order *order);

#endif
