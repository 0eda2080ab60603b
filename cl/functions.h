// The functions of numerics.h that devices are checked on, one row each: F(name, arguments). Read by C and OpenCL C.
#ifndef ISG_CL_FUNCTIONS_H
#define ISG_CL_FUNCTIONS_H

#define EACH_FUNCTION(F)                                                                                               \
    F(exp_nonpositive, 1)                                                                                              \
    F(real_exp, 1)                                                                                                     \
    F(real_expm1, 1)                                                                                                   \
    F(real_log, 1)                                                                                                     \
    F(real_log1p, 1)                                                                                                   \
    F(real_sqrt, 1)                                                                                                    \
    F(real_reciprocal, 1)                                                                                              \
    F(real_erf, 1)                                                                                                     \
    F(real_erfc, 1)                                                                                                    \
    F(real_tanh, 1)                                                                                                    \
    F(real_sinpi, 1)                                                                                                   \
    F(real_cospi, 1)                                                                                                   \
    F(mul_normal, 2)                                                                                                   \
    F(real_divide, 2)                                                                                                  \
    F(real_pow, 2)

enum {
#define FUNCTION(name, arity) FUNCTION_##name,
    EACH_FUNCTION(FUNCTION)
#undef FUNCTION
    FUNCTION_COUNT
};

#endif
