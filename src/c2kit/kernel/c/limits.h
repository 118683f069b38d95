/* Numbers against their limits, by exactly the comparisons of c2kit.kernel.conversions.limits. */
#ifndef C2KIT_LIMITS_H
#define C2KIT_LIMITS_H

#include "program.h"

/* As c2kit.model.limits.LimitState. */
enum limit_state { GREEN, YELLOW_LOW, YELLOW_HIGH, RED_LOW, RED_HIGH };

/* What is below a low bound, or above a high one, has passed it; an infinite one is never passed. */
struct bounds {
    double yellow_low, yellow_high, red_low, red_high;
};

/* Writes the state of each value, and whether it is a number at all; gives how many are none, of those that are `valid`
 * (NULL for all). What is not valid, or no number, is GREEN. Values are floats, or integers of at most 32 bits. */
int64_t limit_states(const struct element *element, const uint8_t *values, const struct bounds *bounds,
                     const uint8_t *valid, int64_t count, uint8_t *states, uint8_t *are_numbers);

#endif
