using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FastPathLb.Cli.Output;

/// <summary>One JSON document on a text writer, written in pieces.</summary>
internal sealed class JsonOutput : IDisposable
{
    private const int PieceBytes = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _buffer = new(2 * PieceBytes);

    [SuppressMessage("Usage", "CA2213", Justification = "Lent by the caller.")]
    private readonly TextWriter _output;

    /// <summary>Begins a document.</summary>
    public JsonOutput(TextWriter output)
    {
        _output = output;
        Writer = new Utf8JsonWriter(
            _buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    /// <summary>Writes the document's parts.</summary>
    public Utf8JsonWriter Writer { get; }

    /// <summary>Passes on what has been written so far, once that is a good piece.</summary>
    public void Advance()
    {
        if (Writer.BytesPending + _buffer.WrittenCount >= PieceBytes)
        {
            Pass();
        }
    }

    /// <summary>Ends the document. Not in <see cref="Dispose"/>: half a document is not to be ended by an error.</summary>
    public void End()
    {
        Pass();
        _output.WriteLine();
    }

    /// <inheritdoc/>
    public void Dispose() => Writer.Dispose();

    private void Pass()
    {
        Writer.Flush();
        _output.Write(Encoding.UTF8.GetString(_buffer.WrittenSpan));
        _buffer.ResetWrittenCount();
    }
}
