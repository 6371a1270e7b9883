using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace WorktreePool.FileState;

/// <summary>
/// The content of a state file: the number of the form it is written in, the record's own fields, and a check over all that. The check tells a file of which a power loss
/// has left the beginning of one version and the end of another, which can read like any other.
/// </summary>
internal static class StateDocument
{
    /// <summary>The form this version writes, and the newest it reads.</summary>
    private const int Schema = 1;

    private const string SchemaField = "schema", CheckField = "check";

    /// <summary>As many bytes of the SHA-256 of all that precedes are the check: enough against chance, and a person's eyes are spared the rest.</summary>
    private const int CheckLength = 8;

    private static readonly JsonDocumentOptions Parsing = new() { AllowDuplicateProperties = false };

    private static readonly byte[] OpeningWithSchema = Encoding.UTF8.GetBytes($"{{\n  \"{SchemaField}\": {Schema},\n");

    /// <summary>What stands before the check's digits.</summary>
    private static readonly byte[] BeforeCheck = Encoding.UTF8.GetBytes($",\n  \"{CheckField}\": \"");

    /// <summary>What stands after them.</summary>
    private static ReadOnlySpan<byte> AfterCheck => "\"\n}\n"u8;

    /// <summary>Where the fields of an object that is written for people begin.</summary>
    private static ReadOnlySpan<byte> Opening => "{\n"u8;

    /// <summary>Where they end.</summary>
    private static ReadOnlySpan<byte> Closing => "\n}\n"u8;

    private static int ClosingLength => BeforeCheck.Length + (2 * CheckLength) + AfterCheck.Length;

    public static byte[] Write<T>(T record, JsonTypeInfo<T> type)
    {
        byte[] fields = ReadableJson.Write(ReadableJson.Indented, writer => JsonSerializer.Serialize(writer, record, type));
        if (!fields.AsSpan().StartsWith(Opening) || !fields.AsSpan().EndsWith(Closing))
        {
            throw new InvalidOperationException("a record has at least one field, each on a line of its own.");
        }

        ReadOnlySpan<byte> own = fields.AsSpan()[Opening.Length..^Closing.Length];
        byte[] content = new byte[OpeningWithSchema.Length + own.Length + ClosingLength];
        OpeningWithSchema.CopyTo(content, 0);
        own.CopyTo(content.AsSpan(OpeningWithSchema.Length));
        Close(content);
        return content;
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="StateStoreException">It was written by a newer version.</exception>
    /// <exception cref="JsonException">It is damaged.</exception>
    public static T Read<T>(string file, byte[] content, JsonTypeInfo<T> type)
    {
        if (IsWhole(content))
        {
            // The record's own fields, in an object like any other.
            byte[] fields = [(byte)'{', .. content.AsSpan()[OpeningWithSchema.Length..^ClosingLength], (byte)'}'];
            return JsonSerializer.Deserialize(fields, type) ?? throw new JsonException("it is empty.");
        }

        if (JsonNode.Parse(content, documentOptions: Parsing) is not JsonObject document)
        {
            throw new JsonException("it is no JSON object.");
        }

        document.Remove(SchemaField, out JsonNode? field);
        if (field is not JsonValue value || !value.TryGetValue(out int schema) || schema < 1)
        {
            throw new JsonException("it has no schema number.");
        }

        if (schema > Schema)
        {
            throw new StateStoreException($"{file} was written by a newer version of WorktreePool: it has schema {schema}, and this version reads {Schema}. Nothing was changed. Use the newer version for this pool everywhere.");
        }

        // Without a check it is a person's, who may say what it likes.
        return document.ContainsKey(CheckField)
            ? throw new JsonException($"it does not fit its \"{CheckField}\": a part of it never reached the disk, or it was changed by hand.")
            : document.Deserialize(type) ?? throw new JsonException("it is empty.");
    }

    /// <summary>Whether it is as this version has written it, from the first byte to the last.</summary>
    private static bool IsWhole(byte[] content)
    {
        if (content.Length < OpeningWithSchema.Length + ClosingLength || !content.AsSpan().StartsWith(OpeningWithSchema))
        {
            return false;
        }

        byte[] closed = new byte[ClosingLength];
        Close(content.AsSpan(0, content.Length - ClosingLength), closed);
        return content.AsSpan().EndsWith(closed);
    }

    private static void Close(byte[] content) => Close(content.AsSpan(0, content.Length - ClosingLength), content.AsSpan(content.Length - ClosingLength));

    /// <summary>Writes what stands after the fields.</summary>
    /// <param name="before">All that precedes.</param>
    /// <param name="closing">Where it is written.</param>
    private static void Close(ReadOnlySpan<byte> before, Span<byte> closing)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(before, hash);
        BeforeCheck.CopyTo(closing);
        Convert.TryToHexStringLower(hash[..CheckLength], closing[BeforeCheck.Length..], out int digits);
        AfterCheck.CopyTo(closing[(BeforeCheck.Length + digits)..]);
    }
}
