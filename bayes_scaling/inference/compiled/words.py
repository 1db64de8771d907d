"""Where things stand in the buffer that a compiled density reads: words of 8 bytes, by name.

The buffer begins with a header, whose words are numbered here: how many dimensions, parameters, effects and responses
there are, where their tables start, the number of words in all, and where the whitening starts (0 if there is none).
"""

(
    N_DIM,
    N_PARAMETERS,
    N_EFFECTS,
    N_RESPONSES,
    PARAMETER_TABLE,
    EFFECT_TABLE,
    RESPONSE_TABLE,
    N_WORDS,
    WHITENING,
    HEADER,
) = range(10)

# A row of the parameter table: position of its standard score (negative where it is not learned), location, scale.
POSITION, LOCATION, SCALE, PARAMETER_ROW = range(4)
