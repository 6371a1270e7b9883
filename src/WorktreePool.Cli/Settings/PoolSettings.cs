using System.Collections;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using WorktreePool.Settings;

namespace WorktreePool.Cli.Settings;

/// <summary>A pool's effective settings and where each came from: default, pool.json, environment, flag; the later wins.</summary>
internal sealed class PoolSettings
{
    public const string PoolVariable = "WORKTREE_POOL";

    public const string FileName = "pool.json";

    private const string Prefix = "WORKTREE_POOL__";

    private static readonly JsonDocumentOptions Parsing = new() { AllowDuplicateProperties = false };

    private readonly Dictionary<string, string> _file = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Value, string Variable)> _environment = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _flags = new(StringComparer.Ordinal);

    private PoolSettings(string directory) => Directory = directory;

    /// <summary>The pool's directory, absolute.</summary>
    public string Directory { get; }

    public string FilePath => Path.Combine(Directory, FileName);

    /// <summary>Finds the pool's directory: flag, environment, or the nearest <c>.worktree-pool</c> upward.</summary>
    public static string? FindDirectory(string? flag)
    {
        if ((flag ?? Environment.GetEnvironmentVariable(PoolVariable)) is { Length: > 0 } named)
        {
            return Path.GetFullPath(named);
        }

        for (string? directory = Environment.CurrentDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            string pool = Path.Combine(directory, ".worktree-pool");
            if (System.IO.Directory.Exists(pool))
            {
                return pool;
            }
        }

        return null;
    }

    /// <summary>Reads pool.json, if there is one, and the environment.</summary>
    /// <exception cref="PoolConfigurationException">A name or value is wrong.</exception>
    public static PoolSettings Load(string directory)
    {
        var settings = new PoolSettings(directory);
        if (File.Exists(settings.FilePath))
        {
            settings.ReadFile();
        }

        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && name.StartsWith(Prefix, StringComparison.Ordinal))
            {
                CommandSetting setting = CommandSetting.Find(name[Prefix.Length..].Replace("_", "", StringComparison.Ordinal), $"The environment variable {name}");
                settings._environment[setting.Name] = ((string?)variable.Value ?? "", name);
            }
        }

        return settings;
    }

    /// <summary>
    /// What runs commands counts only in a pool that was named by the flag or the environment. Else a repository that has a <c>.worktree-pool</c> in it
    /// would choose what is run for whoever stands in its checkout.
    /// </summary>
    /// <exception cref="PoolConfigurationException">pool.json has set-up steps or copied files, and was only found from the current directory.</exception>
    public void RequireNamed(string? flag)
    {
        if ((flag ?? Environment.GetEnvironmentVariable(PoolVariable)) is not { Length: > 0 } && (_file.ContainsKey("setUp") || _file.ContainsKey("copy")))
        {
            throw new PoolConfigurationException(
                $"{FilePath} has set-up steps or copied files, and was only found from the current directory. Nothing was run. If this is your pool, name it: --pool {Directory}, or {PoolVariable}.");
        }
    }

    /// <summary>Sets a value by a flag of the command line.</summary>
    public void SetFlag(string name, string value) => _flags[name] = value;

    /// <summary>The same with one value more, as if by a flag.</summary>
    public PoolSettings With(string name, string value)
    {
        PoolSettings settings = Load(Directory);
        foreach ((string flag, string given) in _flags)
        {
            settings.SetFlag(flag, given);
        }

        settings.SetFlag(name, value);
        return settings;
    }

    /// <summary>What pool.json says, or shall say: the values from it and from flags. The environment's are not the pool's own.</summary>
    public string? Stored(string name) => _flags.GetValueOrDefault(name) ?? _file.GetValueOrDefault(name);

    /// <summary>Where the effective value comes from.</summary>
    public string SourceOf(string name) =>
        _flags.ContainsKey(name) ? "flag" : _environment.TryGetValue(name, out var found) ? $"environment {found.Variable}" : _file.ContainsKey(name) ? FileName : "default";

    /// <summary>The same for a message: with the flag, and the whole path.</summary>
    private string MessageSourceOf(CommandSetting setting) => SourceOf(setting.Name) switch
    {
        "flag" => setting.Flag,
        FileName => FilePath,
        string other => other,
    };

    /// <summary>What they amount to.</summary>
    public EffectiveSettings Effective()
    {
        var settings = new EffectiveSettings();
        Apply(settings);
        return settings;
    }

    /// <summary>Puts the values into the library's options.</summary>
    public void Apply(WorktreePoolOptions options) => Apply(new EffectiveSettings(options));

    private void Apply(EffectiveSettings settings)
    {
        settings.Pool.PoolDirectory = Directory;
        foreach (CommandSetting setting in CommandSetting.All)
        {
            string? inFile = _file.GetValueOrDefault(setting.Name);
            string? outside = _environment.TryGetValue(setting.Name, out var found) ? found.Value : inFile;
            if ((_flags.GetValueOrDefault(setting.Name) ?? outside) is { } value)
            {
                string source = MessageSourceOf(setting);
                if (setting.WhyNot(settings, value, $" (from {source})") is { } why)
                {
                    throw new PoolConfigurationException($"{setting.Name}{why} Nothing was changed.");
                }

                settings.Pool.Sources[setting.Name] = source;
            }
        }
    }

    /// <summary>Writes pool.json, unless it says just this already; the old one stays until the new one is complete.</summary>
    public void Save()
    {
        System.IO.Directory.CreateDirectory(Directory);
        CrashPoint.Reached("pool directory made");
        Sweep();
        byte[] content = Content();
        if (File.Exists(FilePath) && File.ReadAllBytes(FilePath).AsSpan().SequenceEqual(content))
        {
            return;
        }

        string temporary = $"{FilePath}.{Environment.ProcessId}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            {
                CrashPoint.Reached("settings begun");
                stream.Write(content);
                CrashPoint.Reached("settings written");
                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, FilePath, overwrite: true);
            CrashPoint.Reached("settings in place");
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Removes what an init that was killed had begun to write. Its name has its process.</summary>
    private void Sweep()
    {
        foreach (string left in System.IO.Directory.EnumerateFiles(Directory, $"{FileName}.*.tmp"))
        {
            if (int.TryParse(Path.GetFileName(left).Split('.')[^2], NumberStyles.None, CultureInfo.InvariantCulture, out int writer) && !RunningProcess.Exists(writer))
            {
                File.Delete(left);
                CrashPoint.Reached("settings debris deleted");
            }
        }
    }

    private byte[] Content()
    {
        using var content = new MemoryStream();
        using (var json = new Utf8JsonWriter(content, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach (CommandSetting setting in CommandSetting.All)
            {
                if (Stored(setting.Name) is { } value)
                {
                    WriteValue(json, setting, value);
                }
            }

            json.WriteEndObject();
        }

        content.WriteByte((byte)'\n');
        return content.ToArray();
    }

    private static void WriteValue(Utf8JsonWriter json, CommandSetting setting, string value)
    {
        string name = setting.Name;
        if (setting.IsJson)
        {
            json.WritePropertyName(name);
            using JsonDocument content = JsonDocument.Parse(value);
            content.RootElement.WriteTo(json);
        }
        else if (setting.IsList)
        {
            json.WriteStartArray(name);
            foreach (string item in value.Split('\n'))
            {
                json.WriteStringValue(item);
            }

            json.WriteEndArray();
        }
        else if (setting.IsSwitch && bool.TryParse(value, out bool yes))
        {
            json.WriteBoolean(name, yes);
        }
        else if (setting.Form == SettingForm.Number && long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteString(name, value);
        }
    }

    private void ReadFile()
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(FilePath), Parsing);
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                CommandSetting setting = CommandSetting.Find(property.Name, FilePath);
                string value = property.Value.ValueKind switch
                {
                    _ when setting.IsJson => property.Value.GetRawText(),
                    JsonValueKind.Array => string.Join('\n', property.Value.EnumerateArray().Select(item => item.GetString())),
                    JsonValueKind.String => property.Value.GetString()!,
                    _ => property.Value.GetRawText(),
                };
                if (!_file.TryAdd(setting.Name, value))
                {
                    throw new PoolConfigurationException($"{FilePath} sets \"{property.Name}\" twice, in different case. Nothing was changed. Remove one of them.");
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new PoolConfigurationException($"{FilePath} is no valid settings file: {e.Message} Nothing was changed.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PoolConfigurationException($"{FilePath} cannot be read: {e.Message}");
        }
    }
}
