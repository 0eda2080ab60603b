#include "spare.h"

#include <stdlib.h>

void *isg_spare_take(isg_spare *spare, int64_t bytes)
{
    int place = -1;
    for (int i = 0; i < ISG_SPARE_COUNT; i++) {
        if (spare->kept[i].taken)
            continue;
        if (spare->kept[i].block && spare->kept[i].bytes >= bytes) {
            spare->kept[i].taken = true;
            return spare->kept[i].block;
        }
        if (place < 0 || !spare->kept[i].block)
            place = i;
    }
    if (place < 0)
        return isg_alloc_large(bytes);
    free(spare->kept[place].block); // too small
    spare->kept[place].block = isg_alloc_large(bytes);
    spare->kept[place].bytes = bytes;
    spare->kept[place].taken = spare->kept[place].block != NULL;
    return spare->kept[place].block;
}

void isg_spare_give(isg_spare *spare, void *block)
{
    for (int i = 0; i < ISG_SPARE_COUNT && block; i++)
        if (spare->kept[i].taken && spare->kept[i].block == block) {
            spare->kept[i].taken = false;
            if (spare->kept[i].bytes <= ISG_SPARE_MOST_BYTES)
                return;
            spare->kept[i].block = NULL;
            break;
        }
    free(block);
}

void isg_spare_free(isg_spare *spare)
{
    for (int i = 0; i < ISG_SPARE_COUNT; i++) {
        free(spare->kept[i].block);
        spare->kept[i].block = NULL;
    }
}
