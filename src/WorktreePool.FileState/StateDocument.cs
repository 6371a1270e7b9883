using System.Text.Json;
using System.Text.Json.Serialization;

namespace WorktreePool.FileState;

/// <summary>What a state file holds: the record, under the number of the form it is written in.</summary>
internal sealed record SlotDocument(int Schema, SlotRecord Slot);

/// <summary>What the pool's own state file holds.</summary>
internal sealed record PoolDocument(int Schema, PoolRecord Pool);

/// <summary>Only the form's number: read first, so that a newer form is told from a damaged file.</summary>
internal sealed record SchemaDocument(int Schema);

/// <summary>A lease's owner in a file; <see cref="LeaseOwner"/> itself cannot be made in an invalid form.</summary>
internal sealed class LeaseOwnerConverter : JsonConverter<LeaseOwner>
{
    public override LeaseOwner Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        OwnerDocument document = JsonSerializer.Deserialize(ref reader, StateJson.Default.OwnerDocument) ?? throw new JsonException("an owner is missing");
        return document switch
        {
            { Process: { } process } => LeaseOwner.ForProcess(process),
            { Duration: { } duration } when duration > TimeSpan.Zero => LeaseOwner.ForDuration(duration),
            _ => throw new JsonException("an owner has neither a process nor a duration"),
        };
    }

    public override void Write(Utf8JsonWriter writer, LeaseOwner value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, new OwnerDocument(value.Process, value.Duration), StateJson.Default.OwnerDocument);
}

/// <summary>The form of an owner in a file.</summary>
internal sealed record OwnerDocument(ProcessIdentity? Process, TimeSpan? Duration);

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    Converters = [typeof(LeaseOwnerConverter)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SlotDocument))]
[JsonSerializable(typeof(PoolDocument))]
[JsonSerializable(typeof(SchemaDocument))]
[JsonSerializable(typeof(OwnerDocument))]
internal sealed partial class StateJson : JsonSerializerContext;

/// <summary>The history's form: one entry a line.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(HistoryEntry))]
internal sealed partial class HistoryJson : JsonSerializerContext;
