using System.Runtime.CompilerServices;

namespace FastPathLb.Io.Captures;

/// <summary>Turns the timestamps of a pcapng interface into nanoseconds since 1970 (if_tsresol, if_tsoffset; 4.2).</summary>
/// <remarks>What does not fit in a <see cref="long"/>, some 292 years from 1970, becomes its smallest or largest value.</remarks>
internal readonly struct TimestampScale
{
    private const byte BinaryFlag = 0x80;
    private const int NanosecondDigits = 9;
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    private readonly Kind _kind;
    private readonly ulong _factor;
    private readonly Int128 _offsetNanoseconds;

    private TimestampScale(Kind kind, ulong factor, ulong unitsPerSecond, long offsetSeconds)
    {
        _kind = offsetSeconds == 0 ? kind : kind | Kind.Offset;
        _factor = factor;
        _offsetNanoseconds = (Int128)offsetSeconds * NanosecondsPerSecond;
        UnitsPerSecond = unitsPerSecond;
    }

    [Flags]
    private enum Kind : byte
    {
        /// <summary>Units are nanoseconds times the factor.</summary>
        Multiply = 0,

        /// <summary>The factor is how many units make a nanosecond.</summary>
        Divide = 1,

        /// <summary>The factor is n of 2^-n seconds.</summary>
        Shift = 2,

        Offset = 4,
    }

    public ulong UnitsPerSecond { get; }

    /// <param name="resolution">if_tsresol: n for 10^-n seconds; with the high bit set, 2^-n.</param>
    /// <param name="offsetSeconds">if_tsoffset.</param>
    /// <param name="scale">The scale.</param>
    /// <returns>False where a second has more units than 64 bits can count; libpcap refuses those too.</returns>
    public static bool TryCreate(byte resolution, long offsetSeconds, out TimestampScale scale)
    {
        scale = default;
        int exponent = resolution & ~BinaryFlag;
        if ((resolution & BinaryFlag) != 0)
        {
            if (exponent > 63)
            {
                return false;
            }

            scale = new TimestampScale(Kind.Shift, (ulong)exponent, 1UL << exponent, offsetSeconds);
            return true;
        }

        if (exponent > 19)
        {
            return false;
        }

        scale = exponent <= NanosecondDigits
            ? new TimestampScale(Kind.Multiply, PowerOf10(NanosecondDigits - exponent), PowerOf10(exponent), offsetSeconds)
            : new TimestampScale(Kind.Divide, PowerOf10(exponent - NanosecondDigits), PowerOf10(exponent), offsetSeconds);
        return true;
    }

    /// <summary>Nanoseconds since 1970, rounded down.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long ToNanoseconds(ulong units)
    {
        if (_kind == Kind.Multiply)
        {
            ulong high = Math.BigMul(units, _factor, out ulong low);
            if (high == 0 && low <= long.MaxValue)
            {
                return (long)low;
            }
        }

        return ToNanosecondsSlowly(units);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long ToNanosecondsSlowly(ulong units)
    {
        UInt128 nanoseconds = (_kind & ~Kind.Offset) switch
        {
            Kind.Multiply => (UInt128)units * _factor,
            Kind.Divide => units / _factor,
            _ => ((UInt128)units * NanosecondsPerSecond) >> (int)_factor,
        };
        Int128 sum = (Int128)nanoseconds + _offsetNanoseconds;
        return (long)Int128.Clamp(sum, long.MinValue, long.MaxValue);
    }

    private static ulong PowerOf10(int exponent)
    {
        ulong power = 1;
        for (int i = 0; i < exponent; i++)
        {
            power *= 10;
        }

        return power;
    }
}
