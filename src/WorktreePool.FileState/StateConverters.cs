using System.Text.Json;
using System.Text.Json.Serialization;

namespace WorktreePool.FileState;

/// <summary>A lease's owner; <see cref="LeaseOwner"/> itself cannot be made in an invalid form.</summary>
internal sealed class LeaseOwnerConverter : JsonConverter<LeaseOwner>
{
    public override LeaseOwner Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize(ref reader, StateJson.Default.OwnerDocument) switch
        {
            { Process: { } process, Duration: null } => LeaseOwner.ForProcess(process),
            { Process: null, Duration: { } duration } when duration > TimeSpan.Zero => LeaseOwner.ForDuration(duration),
            _ => throw new JsonException("the lease's owner is neither a process nor a duration"),
        };

    public override void Write(Utf8JsonWriter writer, LeaseOwner value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, new OwnerDocument { Process = value.Process, Duration = value.Duration }, StateJson.Default.OwnerDocument);
}

/// <summary>The form of an owner in a file.</summary>
internal sealed record OwnerDocument
{
    public ProcessIdentity? Process { get; init; }

    public TimeSpan? Duration { get; init; }
}

/// <summary>Times are written in UTC with a Z, whatever offset they came with.</summary>
internal sealed class UtcConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset().ToUniversalTime();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.UtcDateTime);
}

/// <summary>Enums are words; a number, or a word that is none of theirs, is an error.</summary>
internal sealed class CamelCaseEnum<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
