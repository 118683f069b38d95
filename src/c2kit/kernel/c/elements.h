/* The elements of a field: single numbers of many packets, and the sequences of one. */
#ifndef C2KIT_ELEMENTS_H
#define C2KIT_ELEMENTS_H

#include "program.h"

/* Whether elements that begin on byte boundaries have the same bits in a column, but for the order of their bytes. */
bool element_is_word(const struct element *element);

/* How the field, a single number at a fixed place, is read fastest. */
reader reader_of(const struct field *field);

/* The pattern of an element that begins at a bit of the data, its byte order undone. */
uint64_t pattern_at(const struct element *element, const uint8_t *data, int64_t bit);

/* Reads one element that begins at a bit of the data. */
void read_element(const struct element *element, const uint8_t *data, int64_t bit, void *value);

/* Reads the elements of one sequence, which begins at a bit of the data, to `values`. */
void read_sequence(const struct field *field, const uint8_t *data, int64_t bit, int64_t count, uint8_t *values);

#endif
