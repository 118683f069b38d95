/* Programs as Python objects: a layout and its conversions, compiled. */
#ifndef C2KIT_PROGRAM_OBJECT_H
#define C2KIT_PROGRAM_OBJECT_H

#include "objects.h" /* before all that includes headers of the system */

#include "columns.h"

/* The names of a Column's attributes. */
enum { VALUES, VALID, OFFSETS, IS_BYTES, IS_TEXT, ATTRIBUTES };

/* What columns are made of: the class Column, numpy.ndarray, and the type of the numbers of each field and then of what
 * each conversion gives. */
struct program_object {
    PyObject_HEAD
    struct program program;
    PyObject *column_type, *array_type, *number_types;
    PyObject *names[ATTRIBUTES];
};

/* Fills in a program from tuples, and looks whether it can be interpreted. What was allocated stays with the program,
 * also where it fails. */
bool program_parse(struct program *program, PyObject *fields, PyObject *conditions, PyObject *terminators,
                   PyObject *conversions);

/* Frees what a program has allocated. */
void program_free(struct program *program);

/* What was counted in each conversion, as a tuple. */
PyObject *counts_of(const struct program *program, const struct converted *converted);

/* Program.decode and Program.write. */
PyObject *program_decode(PyObject *object, PyObject *const *arguments, Py_ssize_t count);
PyObject *program_write(PyObject *object, PyObject *const *arguments, Py_ssize_t count);

#endif
