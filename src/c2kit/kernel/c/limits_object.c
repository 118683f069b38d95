/* Limit states for Python. */
#include "objects.h"

#include "limits.h"

/* The encoding and width of columns that are told by NumPy's letters: the kind, and the bytes of a number. */
static bool element_of(PyObject *type, struct element *element)
{
    const char *letters;
    Py_ssize_t count;
    if (!(letters = PyUnicode_AsUTF8AndSize(type, &count)))
        return false;
    uint8_t width = count == 2 && letters[1] > '0' && letters[1] <= '8' ? (uint8_t)(letters[1] - '0') : 0;
    char kind = count ? letters[0] : ' ';
    bool is_integer = (kind == 'u' || kind == 'i') && (width == 1 || width == 2 || width == 4);
    uint8_t encoding = kind == 'f' ? IEEE754 : kind == 'u' ? UNSIGNED : TWOS_COMPLEMENT;
    *element = (struct element){.encoding = encoding, .width = width};
    if (is_integer || (kind == 'f' && (width == 4 || width == 8)))
        return true;
    PyErr_SetString(PyExc_ValueError, "not a type of numbers that a double holds");
    return false;
}

enum { ITS_VALUES, ITS_BOUNDS, IS_VALID, ITS_STATES, ARE_NUMBERS, VIEWS };

/* limits(type, values, four doubles, valid or None, states, which are numbers): how many are not. */
PyObject *module_limits(PyObject *module, PyObject *const *arguments, Py_ssize_t argument_count)
{
    Py_buffer views[VIEWS] = {{0}};
    struct element element;
    PyObject *result = NULL;
    (void)module;
    if (argument_count != VIEWS + 1) {
        PyErr_SetString(PyExc_TypeError, "limits takes type, values, bounds, valid, states, are_numbers");
        return NULL;
    }
    if (!element_of(arguments[0], &element))
        return NULL;
    for (int each = 0; each < VIEWS && !PyErr_Occurred(); each++)
        if (each != IS_VALID || arguments[1 + each] != Py_None)
            PyObject_GetBuffer(arguments[1 + each], &views[each], each >= ITS_STATES ? PyBUF_WRITABLE : PyBUF_SIMPLE);
    int64_t count = views[ITS_STATES].len;
    bool is_right = !PyErr_Occurred() && views[ITS_VALUES].len == count * element.width && views[ARE_NUMBERS].len == count
        && views[ITS_BOUNDS].len == sizeof(struct bounds) && (!views[IS_VALID].obj || views[IS_VALID].len == count);
    if (is_right) {
        struct bounds bounds;
        int64_t not_numbers;
        memcpy(&bounds, views[ITS_BOUNDS].buf, sizeof bounds);
        BEGIN_WORK(count)
        not_numbers = limit_states(&element, views[ITS_VALUES].buf, &bounds, views[IS_VALID].buf, count, views[ITS_STATES].buf,
                                   views[ARE_NUMBERS].buf);
        END_WORK
        result = PyLong_FromLongLong(not_numbers);
    } else if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "not as many states as values");
    for (int each = 0; each < VIEWS; each++)
        if (views[each].obj)
            PyBuffer_Release(&views[each]);
    return result;
}
