using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using WorktreePool.Settings;

namespace WorktreePool.Hosting;

/// <summary>What stands in a section, as the text that settings are read from everywhere.</summary>
internal static class SectionText
{
    /// <exception cref="FormatException">It has not the form that the setting has; the message is the rule.</exception>
    public static string Read(IConfigurationSection entry, SettingForm form)
    {
        IConfigurationSection[] children = [.. entry.GetChildren()];
        return form switch
        {
            // As a list, or, from the environment, as text.
            SettingForm.List when children.Length > 0 => string.Join('\n', Items(children)),
            SettingForm.Json when children.Length > 0 => Json(entry),
            _ when children.Length > 0 => throw new FormatException("it must be one value, and is a section."),
            SettingForm.Json when string.IsNullOrEmpty(entry.Value) => "[]",
            _ => entry.Value ?? "",
        };
    }

    private static IEnumerable<string> Items(IConfigurationSection[] children)
    {
        foreach (IConfigurationSection child in children)
        {
            yield return child.Value is { Length: > 0 } text && IsIndex(child) && !text.Contains('\n', StringComparison.Ordinal)
                ? text
                : throw new FormatException($"it must be a list of texts, and has {child.Key}: \"{child.Value}\".");
        }
    }

    private static bool IsIndex(IConfigurationSection child) => int.TryParse(child.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    /// <summary>A configuration forgets what was a list and what an object: a section whose names are numbers was a list.</summary>
    private static string Json(IConfigurationSection entry)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(json, entry);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, IConfigurationSection entry)
    {
        IConfigurationSection[] children = [.. entry.GetChildren()];
        if (children.Length == 0)
        {
            // A list without items is an empty text here.
            if (string.IsNullOrEmpty(entry.Value) && SetUpJson.Lists.Contains(entry.Key, StringComparer.OrdinalIgnoreCase))
            {
                json.WriteStartArray();
                json.WriteEndArray();
                return;
            }

            json.WriteStringValue(entry.Value);
        }
        else if (children.All(IsIndex))
        {
            json.WriteStartArray();
            foreach (IConfigurationSection child in children)
            {
                Write(json, child);
            }

            json.WriteEndArray();
        }
        else
        {
            json.WriteStartObject();
            foreach (IConfigurationSection child in children)
            {
                json.WritePropertyName(child.Key);
                Write(json, child);
            }

            json.WriteEndObject();
        }
    }
}
