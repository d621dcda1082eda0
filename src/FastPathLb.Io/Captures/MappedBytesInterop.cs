using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;

namespace FastPathLb.Io.Captures;

/// <summary>A whole file in memory, read in place.</summary>
/// <remarks>
/// What makes the pointer sound. It comes from <c>AcquirePointer</c>, which counts a reference to the mapping: the mapping cannot go
/// before <see cref="Dispose"/> gives that reference back, not even by a finalizer. Every span made here lies within
/// [_start, _start + _lengthBytes), the length the file had when it was mapped; a mapping made for reading is never written.
/// After <see cref="Dispose"/> the length is 0, so that a late call gets an empty span. One thing the type cannot prevent: a file
/// that another program makes shorter meanwhile faults where it is touched. The file is held with a shared lock, so at least
/// <see cref="CaptureWriter"/> refuses to write over it.
/// </remarks>
internal unsafe struct MappedBytes : IByteWindow
{
    private readonly FileStream _file;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _start;
    private long _lengthBytes;
    private long _positionBytes;

    private MappedBytes(FileStream file, MemoryMappedFile map, MemoryMappedViewAccessor view, long lengthBytes)
    {
        _file = file;
        _map = map;
        _view = view;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += view.PointerOffset;
        _lengthBytes = lengthBytes;
    }

    public readonly long PositionBytes => _positionBytes;

    public readonly long? LengthBytes => _lengthBytes;

    public readonly bool IsCompressed => false;

    public readonly string? Damage => null;

    /// <summary>Maps a regular file of at least one byte and takes it over.</summary>
    /// <exception cref="IOException">It can't be mapped: the file is still the caller's.</exception>
    public static MappedBytes Map(FileStream file)
    {
        long lengthBytes = file.Length;
        MemoryMappedFile? map = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            map = MemoryMappedFile.CreateFromFile(
                file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            view = map.CreateViewAccessor(0, lengthBytes, MemoryMappedFileAccess.Read);
            var mapped = new MappedBytes(file, map, view, lengthBytes);
            map = null;
            view = null;
            return mapped;
        }
        finally
        {
            view?.Dispose();
            map?.Dispose();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly ReadOnlySpan<byte> Peek(int count) =>
        new(_start + _positionBytes, (int)Math.Min(_lengthBytes - _positionBytes, int.MaxValue));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(int count) => _positionBytes += count;

    public void Dispose()
    {
        if (_start == null)
        {
            return;
        }

        _start = null;
        _lengthBytes = 0;
        _positionBytes = 0;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
        _file.Dispose();
    }
}
