/* One packet at a time: plain fields, each a number or bytes at a place of its own, and values as Python objects. */
#ifndef C2KIT_CODEC_H
#define C2KIT_CODEC_H

#include "objects.h"

/* What kind of object the value of a field is. */
enum kind { KIND_UNSIGNED, KIND_SIGNED, KIND_SINGLE, KIND_DOUBLE, KIND_BYTES, NO_WORD };

/* How a value is encoded: these at once, all others step by step. */
enum way { WAY_INTEGER, WAY_SINGLE, WAY_DOUBLE, WAY_ANY };

struct plain_field {
    PyObject *name;
    struct element element; /* its width is 8, so that an integer of it is one of 64 bits */
    uint8_t kind, way;
    /* The same kind where the bits, as they stand, are the value's, and lie in the eight bytes from `first_byte` on; so
     * many other bits of those are before them, and of 64 bits as many are not theirs. */
    uint8_t word_kind, before, behind_word;
    int64_t first_byte;
    uint64_t below, mask; /* WAY_INTEGER: what lies from -below to mask - below fits, and these bits of it are kept */
    int64_t word;         /* how put_before() puts it */
    int behind;
    int64_t start, byte_count; /* of strings and binary the number of bytes */
};

struct codec_object {
    PyObject_HEAD
    struct plain_field *fields;
    Py_ssize_t count, size;
    bool can_encode;     /* no two fields share a bit, and all can be encoded here */
    PyObject *template;  /* a dict with the names of the fields, in their order */
    PyObject *otherwise; /* another codec, for what is not plain */
};

/* The methods, for one argument each. */
PyObject *codec_encode(PyObject *object, PyObject *values);
PyObject *codec_values(PyObject *object, PyObject *packet);
PyObject *codec_record(PyObject *object, PyObject *packet);

/* What another codec makes of it. */
PyObject *codec_otherwise(const struct codec_object *self, const char *method, PyObject *argument);

#endif
