using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FastPathLb.Wire.Tests;

/// <summary>Words side by side are the words that one would read one after the other.</summary>
public sealed class WordLanesTests
{
    private const int StrideBytes = 48;

    private readonly byte[] _bytes = new byte[WordLanes.Count * StrideBytes];

    public WordLanesTests() => new Random(7).NextBytes(_bytes);

    [Fact]
    public void Words_of_frames_at_any_place_are_loaded()
    {
        LaneOffsets offsets = default;
        int[] places = [200, 3, 77, 0, 151, 340, 12, 96];
        for (int lane = 0; lane < WordLanes.Count; lane++)
        {
            offsets[lane] = places[lane];
        }

        WordLanes.Load(ref _bytes[0], in offsets, 5, out Vector256<uint> word0, out Vector256<uint> word1, out Vector256<uint> word2, out Vector256<uint> word3);

        for (int lane = 0; lane < WordLanes.Count; lane++)
        {
            ReadOnlySpan<byte> frame = _bytes.AsSpan(places[lane] + 5);
            Assert.Equal(Words(frame), new[] { word0[lane], word1[lane], word2[lane], word3[lane] });
        }
    }

    [Fact]
    public void Words_of_elements_come_back_as_they_were()
    {
        Span<Element> elements = MemoryMarshal.Cast<byte, Element>(_bytes.AsSpan());
        WordLanes.Load(ref elements[0], out Vector256<uint> word0, out Vector256<uint> word1, out Vector256<uint> word2, out Vector256<uint> word3);
        for (int lane = 0; lane < WordLanes.Count; lane++)
        {
            Assert.Equal(Words(_bytes.AsSpan(lane * StrideBytes)), new[] { word0[lane], word1[lane], word2[lane], word3[lane] });
        }

        byte[] written = new byte[_bytes.Length];
        WordLanes.Store(ref MemoryMarshal.Cast<byte, Element>(written.AsSpan())[0], 16, word0, word1, word2, word3);
        for (int lane = 0; lane < WordLanes.Count; lane++)
        {
            Span<byte> element = written.AsSpan(lane * StrideBytes, StrideBytes);
            Assert.Equal(_bytes.AsSpan(lane * StrideBytes, 16), element.Slice(16, 16));
            Assert.True(element[..16].IndexOfAnyExcept((byte)0) < 0 && element[32..].IndexOfAnyExcept((byte)0) < 0, "nothing else is written");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void A_frame_with_any_bit_is_told_from_those_without(int word)
    {
        for (int frame = 0; frame < WordLanes.Count; frame++)
        {
            Vector256<uint>[] frames = new Vector256<uint>[WordLanes.Count];
            frames[frame] = Vector256<uint>.Zero.WithElement(word, 0x8000_0000u);

            Vector256<uint> gathered = WordLanes.Gather(frames[0], frames[1], frames[2], frames[3], frames[4], frames[5], frames[6], frames[7]);

            Assert.Equal(Vector256<uint>.Zero.WithElement(frame, 0x8000_0000u), gathered);
        }
    }

    [Fact]
    public void Numbers_are_read_from_words_as_they_lie_on_the_wire()
    {
        Vector256<uint> words = Vector256.LoadUnsafe(ref MemoryMarshal.Cast<byte, uint>(_bytes.AsSpan())[0]);
        for (int lane = 0; lane < WordLanes.Count; lane++)
        {
            ReadOnlySpan<byte> bytes = _bytes.AsSpan(lane * sizeof(uint), sizeof(uint));
            uint first = BinaryPrimitives.ReadUInt16BigEndian(bytes);
            uint second = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            Assert.Equal(first, WordLanes.FirstHalf(words)[lane]);
            Assert.Equal(second, WordLanes.SecondHalf(words)[lane]);
            Assert.Equal((second << 16) | first, WordLanes.SwapHalves(words)[lane]);
            Assert.Equal((first << 16) | second, WordLanes.Swap(words)[lane]);
            Assert.Equal(words[lane], WordLanes.At(ref words, lane));
        }
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(0xFFFFu)]
    [InlineData(0x1FFFEu)]
    [InlineData(0xFFFE_0001u)]
    [InlineData(0xFFFF_FFFFu)]
    public void Sums_fold_as_those_of_one_frame(uint sum)
    {
        Vector256<uint> folded = WordLanes.Fold(Vector256.Create(sum));

        Assert.Equal(Vector256.Create((uint)InternetChecksum.Fold(sum)), folded);
    }

    private static uint[] Words(ReadOnlySpan<byte> bytes) => MemoryMarshal.Cast<byte, uint>(bytes[..16]).ToArray();

    [StructLayout(LayoutKind.Sequential, Size = StrideBytes)]
    private struct Element
    {
        public uint First;
    }
}
