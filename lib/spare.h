// Large blocks of host memory that a context keeps from one call to the next: the system clears every page that is
// touched first, which costs more than filtering what comes to lie there. Libc only.
#ifndef ISG_LIB_SPARE_H
#define ISG_LIB_SPARE_H

#include "base.h"

enum { ISG_SPARE_COUNT = 3, ISG_SPARE_MOST_BYTES = 128 << 20 };

typedef struct isg_spare {
    struct {
        void *block; // NULL: none
        int64_t bytes;
        bool taken;
    } kept[ISG_SPARE_COUNT];
} isg_spare;

// A block of so many bytes or more, of any content, as of isg_alloc_large; NULL: no memory.
void *isg_spare_take(isg_spare *spare, int64_t bytes);
// Gives it back, to be kept unless it is larger than ISG_SPARE_MOST_BYTES. block: may be NULL.
void isg_spare_give(isg_spare *spare, void *block);
// Frees what is kept.
void isg_spare_free(isg_spare *spare);

#endif
