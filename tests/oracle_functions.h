// The oracle for the functions of cl/functions.h: what they should give for every argument, from their definitions and
// the rules of cl/numerics.h alone.
//
// Subnormal arguments count as zero; results below the smallest normal number are +0, and so is every zero; results
// above the largest number are infinite. NaN is any NaN.
#ifndef ISG_TESTS_ORACLE_FUNCTIONS_H
#define ISG_TESTS_ORACLE_FUNCTIONS_H

#include "oracle.h"

#include "../cl/functions.h"

const char *oracle_name(int function);
int oracle_arity(int function);
// In ulps: 1, or 0.5 for functions that are correctly rounded.
double oracle_bound(int function);

// The error of y as function(a, b), in ulps, by MPFR. +0 stands for all numbers below the smallest normal one and
// infinity for all above the largest, so that their error is that of the nearest of these; but where exp becomes zero
// is exact. Infinite for results of another kind than the right one. b: any number for functions of one argument.
double oracle_function_error(int function, isg_dtype dtype, double a, double b, double y);

typedef struct oracle_worst {
    double error, a, b, y; // the largest error, or one within 0.001 of it, and where it is
    int64_t beyond;        // results with an error above the bound
} oracle_worst;

// Judges y[0] and y[1], two results of function(a, b), each NULL or `count` numbers, and updates worst[0] and worst[1].
// Fast: the C library in more precision decides, except close to the bound and to the ends of the range, where MPFR
// does; the host's own IEEE operations tell what is correctly rounded. MPFR judges every `sample`th element besides (0:
// none), and aborts when it disagrees with the fast judge. Without a long double of more precision than double it is
// the only judge there.
void oracle_judge(oracle_worst worst[2], int function, isg_dtype dtype, const void *a, const void *b,
                  const void *const y[2], int64_t count, int64_t sample);

void oracle_worst_join(oracle_worst *all, const oracle_worst *part);

// Makes every NaN the same NaN: sign and payload are no part of the contract.
void oracle_one_nan(isg_dtype dtype, void *y, int64_t count);

#endif
