// How fast a file of n x n numbers of 4 bytes is written with nothing computed: write_tiles PATH N SIDE [in-order]
//
// As a store writes it, tile by tile with each one's mirror, a row of a tile at a time; or in order, 16 MiB at a time.
// Prints the seconds until it is all on the disk. The file is removed.
#include "base.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER = 128, ELEMENT = 4 };

static bool put(int fd, const char *from, int64_t bytes, int64_t at)
{
    return pwrite(fd, from, (size_t)bytes, (off_t)at) == (ssize_t)bytes;
}

static bool put_tile(int fd, const char *from, int64_t n, int64_t side, int64_t i, int64_t j)
{
    int64_t rows = isg_min(side, n - i), cols = isg_min(side, n - j);
    for (int64_t r = 0; r < rows; r++)
        if (!put(fd, from + r * side * ELEMENT, cols * ELEMENT, HEADER + ((i + r) * n + j) * ELEMENT))
            return false;
    return true;
}

int main(int argc, char **argv)
{
    const int64_t step = 16 << 20;
    if (argc < 4)
        return EXIT_FAILURE;
    int64_t n = strtoll(argv[2], NULL, 10), side = strtoll(argv[3], NULL, 10), bytes = HEADER + n * n * ELEMENT;
    int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0666);
    char *block = isg_alloc_large(isg_max(side * side * ELEMENT, step));
    if (fd < 0 || !block || fallocate(fd, 0, 0, (off_t)bytes) != 0)
        return perror(argv[1]), EXIT_FAILURE;
    memset(block, 1, (size_t)isg_max(side * side * ELEMENT, step));
    double start = isg_seconds();
    bool good = true;
    if (argc > 4)
        for (int64_t at = 0; at < bytes && good; at += step)
            good = put(fd, block, isg_min(step, bytes - at), at);
    else
        for (int64_t i = 0; i < n; i += side)
            for (int64_t j = 0; j <= i && good; j += side)
                good = put_tile(fd, block, n, side, i, j) && (i == j || put_tile(fd, block, n, side, j, i));
    good = good && fdatasync(fd) == 0;
    printf("%.6f\n", isg_seconds() - start);
    unlink(argv[1]);
    free(block);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
