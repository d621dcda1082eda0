using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastPathLb.Wire;

/// <summary>
/// Words of eight frames side by side: lane <c>i</c> of a vector is frame <c>i</c>'s word. One instruction then does for eight frames what
/// would take eight. Words are as they lie on the wire. Little-endian machines only.
/// </summary>
/// <remarks>
/// <code>
///             word 0  word 1  word 2  word 3               frame 0 .. 3 | frame 4 .. 7
///   frame 0   |                                   word 0   |            |
///   ...                                     ◄──►  word 1
///   frame 7   |                                   ...
/// </code>
/// </remarks>
public static class WordLanes
{
    /// <summary>Frames, and lanes.</summary>
    public const int Count = 8;

    /// <summary>Loads four words of each frame.</summary>
    /// <param name="origin">Where offsets begin.</param>
    /// <param name="offsets">The frames.</param>
    /// <param name="displacementBytes">Bytes from there to the first word.</param>
    /// <param name="word0">The first words.</param>
    /// <param name="word1">The second ones.</param>
    /// <param name="word2">The third ones.</param>
    /// <param name="word3">The fourth ones.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(
        ref byte origin, ref readonly LaneOffsets offsets, nint displacementBytes,
        out Vector256<uint> word0, out Vector256<uint> word1, out Vector256<uint> word2, out Vector256<uint> word3)
    {
        ref byte start = ref Unsafe.Add(ref origin, displacementBytes);
        Vector256<uint> row0 = Row(ref start, offsets[0], offsets[4]);
        Vector256<uint> row1 = Row(ref start, offsets[1], offsets[5]);
        Vector256<uint> row2 = Row(ref start, offsets[2], offsets[6]);
        Vector256<uint> row3 = Row(ref start, offsets[3], offsets[7]);
        Transpose(row0, row1, row2, row3, out word0, out word1, out word2, out word3);
    }

    /// <summary>Loads the first four words of elements that lie one after the other.</summary>
    /// <typeparam name="T">The elements' type, of 16 bytes or more.</typeparam>
    /// <param name="first">The first of eight.</param>
    /// <param name="word0">The first words.</param>
    /// <param name="word1">The second ones.</param>
    /// <param name="word2">The third ones.</param>
    /// <param name="word3">The fourth ones.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<T>(
        ref T first, out Vector256<uint> word0, out Vector256<uint> word1, out Vector256<uint> word2, out Vector256<uint> word3)
        where T : unmanaged
    {
        ref byte start = ref Unsafe.As<T, byte>(ref first);
        nint size = Unsafe.SizeOf<T>();
        Transpose(
            Row(ref start, 0, 4 * size), Row(ref start, size, 5 * size), Row(ref start, 2 * size, 6 * size), Row(ref start, 3 * size, 7 * size),
            out word0, out word1, out word2, out word3);
    }

    /// <summary>Writes four words of each frame to elements that lie one after the other.</summary>
    /// <typeparam name="T">The elements' type.</typeparam>
    /// <param name="first">The first of eight.</param>
    /// <param name="displacementBytes">Bytes from an element's beginning to its first word.</param>
    /// <param name="word0">The first words.</param>
    /// <param name="word1">The second ones.</param>
    /// <param name="word2">The third ones.</param>
    /// <param name="word3">The fourth ones.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(
        ref T first, nint displacementBytes, Vector256<uint> word0, Vector256<uint> word1, Vector256<uint> word2, Vector256<uint> word3)
        where T : unmanaged
    {
        // A transposition is its own inverse, but for the order of the rows.
        Vector256<uint> low01 = UnpackLow(word0, word1);
        Vector256<uint> low23 = UnpackLow(word2, word3);
        Vector256<uint> high01 = UnpackHigh(word0, word1);
        Vector256<uint> high23 = UnpackHigh(word2, word3);
        ref byte start = ref Unsafe.AddByteOffset(ref Unsafe.As<T, byte>(ref first), displacementBytes);
        nint size = Unsafe.SizeOf<T>();
        StoreRow(ref start, 0, size, UnpackLowPairs(low01, low23));
        StoreRow(ref start, 1, size, UnpackHighPairs(low01, low23));
        StoreRow(ref start, 2, size, UnpackLowPairs(high01, high23));
        StoreRow(ref start, 3, size, UnpackHighPairs(high01, high23));
    }

    /// <summary>All bits of each frame's eight words, one over the other: zero where all of them are.</summary>
    /// <param name="frame0">Frame 0's words.</param>
    /// <param name="frame1">Frame 1's words, and so on.</param>
    /// <param name="frame2">Frame 2's words.</param>
    /// <param name="frame3">Frame 3's words.</param>
    /// <param name="frame4">Frame 4's words.</param>
    /// <param name="frame5">Frame 5's words.</param>
    /// <param name="frame6">Frame 6's words.</param>
    /// <param name="frame7">Frame 7's words.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Gather(
        Vector256<uint> frame0, Vector256<uint> frame1, Vector256<uint> frame2, Vector256<uint> frame3,
        Vector256<uint> frame4, Vector256<uint> frame5, Vector256<uint> frame6, Vector256<uint> frame7)
    {
        Vector256<uint> first = Four(frame0, frame1, frame2, frame3);
        Vector256<uint> second = Four(frame4, frame5, frame6, frame7);
        return Vector256.Create(first.GetLower() | first.GetUpper(), second.GetLower() | second.GetUpper());

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector256<uint> Four(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d)
        {
            Vector256<uint> ab = UnpackLow(a, b) | UnpackHigh(a, b);
            Vector256<uint> cd = UnpackLow(c, d) | UnpackHigh(c, d);
            return UnpackLowPairs(ab, cd) | UnpackHighPairs(ab, cd);
        }
    }

    /// <summary>A frame's word in memory.</summary>
    /// <param name="words">Words of eight frames.</param>
    /// <param name="lane">The frame, below eight.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ref uint At(ref Vector256<uint> words, int lane) => ref Unsafe.Add(ref Unsafe.As<Vector256<uint>, uint>(ref words), lane);

    /// <summary>Words with their bytes in the other order: between the wire's and the machine's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Swap(Vector256<uint> words) => Shuffle(words, Vector256.Create(
        (byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19, 18, 17, 16, 23, 22, 21, 20, 27, 26, 25, 24, 31, 30, 29, 28));

    /// <summary>Words of two numbers of 16 bits, each with its bytes in the other order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> SwapHalves(Vector256<uint> words) => Shuffle(words, Vector256.Create(
        (byte)1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14, 17, 16, 19, 18, 21, 20, 23, 22, 25, 24, 27, 26, 29, 28, 31, 30));

    /// <summary>The numbers of 16 bits that lie first in the words on the wire.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> FirstHalf(Vector256<uint> words) => SwapHalves(words) & Vector256.Create(0xFFFFu);

    /// <summary>The numbers of 16 bits that lie second in the words on the wire.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> SecondHalf(Vector256<uint> words) => SwapHalves(words) >>> 16;

    /// <summary>Both halves of words added up, as the Internet checksum does: sums of up to 65,537 of these do not overflow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Halves(Vector256<uint> words) => (words & Vector256.Create(0xFFFFu)) + (words >>> 16);

    /// <summary>Folds sums to 16 bits with end-around carry: 0 only where the sum is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Fold(Vector256<uint> sums) => Halves(Halves(sums));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Row(ref byte start, nint first, nint second) => Vector256.Create(
        Vector128.LoadUnsafe(ref Unsafe.Add(ref start, first)), Vector128.LoadUnsafe(ref Unsafe.Add(ref start, second))).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow(ref byte start, nint frame, nint sizeBytes, Vector256<uint> row)
    {
        row.GetLower().AsByte().StoreUnsafe(ref Unsafe.AddByteOffset(ref start, frame * sizeBytes));
        row.GetUpper().AsByte().StoreUnsafe(ref Unsafe.AddByteOffset(ref start, (frame + 4) * sizeBytes));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        Vector256<uint> row0, Vector256<uint> row1, Vector256<uint> row2, Vector256<uint> row3,
        out Vector256<uint> word0, out Vector256<uint> word1, out Vector256<uint> word2, out Vector256<uint> word3)
    {
        Vector256<uint> low01 = UnpackLow(row0, row1);
        Vector256<uint> low23 = UnpackLow(row2, row3);
        Vector256<uint> high01 = UnpackHigh(row0, row1);
        Vector256<uint> high23 = UnpackHigh(row2, row3);
        word0 = UnpackLowPairs(low01, low23);
        word1 = UnpackHighPairs(low01, low23);
        word2 = UnpackLowPairs(high01, high23);
        word3 = UnpackHighPairs(high01, high23);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Shuffle(Vector256<uint> words, Vector256<byte> order) =>
        Avx2.IsSupported ? Avx2.Shuffle(words.AsByte(), order).AsUInt32() : Vector256.Shuffle(words.AsByte(), order).AsUInt32();

    // Of each half of 128 bits the lower, or upper, two words of both vectors by turns.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> UnpackLow(Vector256<uint> left, Vector256<uint> right) => Avx2.IsSupported
        ? Avx2.UnpackLow(left, right)
        : Vector256.Create(left[0], right[0], left[1], right[1], left[4], right[4], left[5], right[5]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> UnpackHigh(Vector256<uint> left, Vector256<uint> right) => Avx2.IsSupported
        ? Avx2.UnpackHigh(left, right)
        : Vector256.Create(left[2], right[2], left[3], right[3], left[6], right[6], left[7], right[7]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> UnpackLowPairs(Vector256<uint> left, Vector256<uint> right) => Avx2.IsSupported
        ? Avx2.UnpackLow(left.AsUInt64(), right.AsUInt64()).AsUInt32()
        : Vector256.Create(left[0], left[1], right[0], right[1], left[4], left[5], right[4], right[5]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> UnpackHighPairs(Vector256<uint> left, Vector256<uint> right) => Avx2.IsSupported
        ? Avx2.UnpackHigh(left.AsUInt64(), right.AsUInt64()).AsUInt32()
        : Vector256.Create(left[2], left[3], right[2], right[3], left[6], left[7], right[6], right[7]);
}
