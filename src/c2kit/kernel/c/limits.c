#include "limits.h"

#include "convert.h"

static int64_t states_of(const double *values, const struct bounds *bounds, const uint8_t *valid, int64_t count,
                         uint8_t *states, uint8_t *are_numbers)
{
    int64_t not_numbers = 0;
    for (int64_t i = 0; i < count; i++) {
        double value = values[i];
        bool is_valid = !valid || valid[i], is_number = value == value;
        uint8_t state = value < bounds->yellow_low ? YELLOW_LOW : GREEN;
        state = value > bounds->yellow_high ? YELLOW_HIGH : state;
        state = value < bounds->red_low ? RED_LOW : state;
        state = value > bounds->red_high ? RED_HIGH : state;
        states[i] = is_valid ? state : GREEN;
        are_numbers[i] = is_valid && is_number;
        not_numbers += is_valid && !is_number;
    }
    return not_numbers;
}

int64_t limit_states(const struct element *element, const uint8_t *values, const struct bounds *bounds,
                     const uint8_t *valid, int64_t count, uint8_t *states, uint8_t *are_numbers)
{
    int64_t not_numbers = 0;
    double block[MOST_CONVERTED];
    for (int64_t low = 0; low < count; low += MOST_CONVERTED) {
        int64_t some = count - low < MOST_CONVERTED ? count - low : MOST_CONVERTED;
        load_doubles(element, values + low * element->width, some, block);
        not_numbers += states_of(block, bounds, valid ? valid + low : NULL, some, states + low, are_numbers + low);
    }
    return not_numbers;
}
